// Colours that stay apart for colour-blind eyes: hue and lightness both differ. Activation runs from light (early) to dark (late).
const tissueColours = { healthy: [0.886, 0.733, 0.682], borderZone: [0.941, 0.647, 0.188], core: [0.306, 0.329, 0.376], channel: [0.33, 0.714, 0.84] };
const latStops = [[1, 0.957, 0.725], [0.996, 0.729, 0.345], [0.937, 0.42, 0.365], [0.722, 0.216, 0.53], [0.431, 0.129, 0.576], [0.153, 0.078, 0.373]];

const surfaceVertexShader = `#version 300 es
precision highp float;
in vec3 a_position; in vec3 a_normal; in vec4 a_tissue; in float a_lat;
uniform mat4 u_view, u_projection; uniform vec3 u_origin; uniform float u_extent;
out vec3 v_normal, v_eye; out vec4 v_tissue; out vec2 v_phase; out float v_active;
void main() {
  vec4 eye = u_view * vec4(u_origin + u_extent * a_position, 1.0);
  v_eye = eye.xyz;
  v_normal = mat3(u_view) * a_normal;
  v_tissue = a_tissue;
  // The cycle closes on itself, so the phase is interpolated on the circle: no false rainbow where late meets early.
  float phase = 6.2831853 * a_lat * (65535.0 / 65534.0);
  v_active = a_lat > 0.99999 ? 0.0 : 1.0;
  v_phase = v_active * vec2(cos(phase), sin(phase));
  gl_Position = u_projection * eye;
}`;

const surfaceFragmentShader = `#version 300 es
precision highp float;
in vec3 v_normal, v_eye; in vec4 v_tissue; in vec2 v_phase; in float v_active;
uniform vec3 u_colours[4]; uniform vec3 u_stops[6];
uniform int u_mode;          // 0 tissue, 1 activation time
uniform float u_wave;        // position of the wavefront in the cycle, below 0: none
uniform float u_cycle, u_opacity, u_cut;
out vec4 colour;

vec3 tissueColour(vec4 w) {
  vec3 c = u_colours[0];
  float scar = w.y + w.z + w.w;
  float edge = fwidth(scar) + 0.02;
  vec3 inner = w.z >= max(w.y, w.w) ? u_colours[2] : (w.w > w.y ? u_colours[3] : u_colours[1]);
  return mix(c, inner, smoothstep(0.5 - edge, 0.5 + edge, scar));
}

vec3 latColour(float s) {
  float x = clamp(s, 0.0, 1.0) * 5.0;
  int i = int(min(floor(x), 4.0));
  return mix(u_stops[i], u_stops[i + 1], x - float(i));
}

void main() {
  if (-v_eye.z < u_cut) discard;
  if (!gl_FrontFacing) {  // seen only where the wall is cut open: the cut muscle, flat as a section
    colour = vec4(0.76, 0.56, 0.52, 1.0);
    return;
  }
  vec3 n = normalize(v_normal), toEye = normalize(-v_eye);
  float lamp = max(dot(n, normalize(vec3(-0.25, 0.4, 1.0))), 0.0);
  float alive = step(0.6, v_active);
  float s = fract(atan(v_phase.y, v_phase.x) / 6.2831853 + 1.0);
  vec3 base = tissueColour(v_tissue);
  if (u_mode == 1) {
    vec3 lat = latColour(s);
    float step20 = s * u_cycle / 20.0, line = abs(fract(step20 + 0.5) - 0.5) / max(fwidth(step20), 1e-4);
    if (fwidth(s) < 0.3) lat *= mix(0.72, 1.0, smoothstep(0.4, 1.3, line));
    base = mix(vec3(0.45, 0.48, 0.53), lat, alive);
  }
  if (u_wave >= 0.0 && alive > 0.5) {
    float since = fract(u_wave - s + 1.0) * u_cycle;   // ms since activation
    float front = exp(-since / 7.0), tail = exp(-since / 60.0);
    vec3 excited = u_mode == 1 ? base : mix(base, vec3(0.16, 0.2, 0.75), 0.72 * tail);
    base = mix(excited, vec3(1.0, 1.0, 0.92), front);
  }
  float rim = pow(1.0 - max(dot(n, toEye), 0.0), 3.0);
  vec3 lit = base * (0.54 + 0.5 * lamp) + 0.04 * pow(lamp, 24.0) - 0.08 * rim;
  colour = vec4(lit, u_opacity);
}`;

// Tubes and balls. Positions in mm; alpha below 1 for lesions; a_lat in ms lets the wave run along a path.
const solidVertexShader = `#version 300 es
precision highp float;
in vec3 a_position; in vec3 a_normal; in vec4 a_colour; in float a_lat;
uniform mat4 u_view, u_projection;
out vec3 v_normal, v_eye; out vec4 v_colour; out float v_lat;
void main() {
  vec4 eye = u_view * vec4(a_position, 1.0);
  v_eye = eye.xyz; v_normal = mat3(u_view) * a_normal; v_colour = a_colour; v_lat = a_lat;
  gl_Position = u_projection * eye;
}`;

const solidFragmentShader = `#version 300 es
precision highp float;
in vec3 v_normal, v_eye; in vec4 v_colour; in float v_lat;
uniform float u_wave, u_cycle, u_ghost;
out vec4 colour;
void main() {
  vec3 n = normalize(v_normal), base = v_colour.rgb;
  if (u_wave >= 0.0 && v_lat >= 0.0) {
    float since = fract(u_wave - v_lat / u_cycle + 1.0) * u_cycle;
    base = mix(base, vec3(1.0, 0.97, 0.6), exp(-since / 14.0));
  }
  float lamp = max(dot(n, normalize(vec3(-0.25, 0.4, 1.0))), 0.0);
  float rim = v_colour.a < 1.0 ? 0.35 * pow(1.0 - abs(n.z), 2.0) : 0.0;
  colour = vec4(base * (0.5 + 0.6 * lamp), min(v_colour.a + rim, 1.0) * u_ghost);
}`;
