// The turning heart. Draws only when something changed.
function decode(base64, type) {
  const bytes = Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
  return new type(bytes.buffer);
}

function program(gl, vertexSource, fragmentSource) {
  const made = gl.createProgram();
  for (const [kind, source] of [[gl.VERTEX_SHADER, vertexSource], [gl.FRAGMENT_SHADER, fragmentSource]]) {
    const shader = gl.createShader(kind);
    gl.shaderSource(shader, source);
    gl.compileShader(shader);
    if (!gl.getShaderParameter(shader, gl.COMPILE_STATUS)) throw new Error(gl.getShaderInfoLog(shader));
    gl.attachShader(made, shader);
  }
  gl.linkProgram(made);
  if (!gl.getProgramParameter(made, gl.LINK_STATUS)) throw new Error(gl.getProgramInfoLog(made));
  const names = { program: made };
  for (let i = gl.getProgramParameter(made, gl.ACTIVE_UNIFORMS) - 1; i >= 0; --i) {
    const name = gl.getActiveUniform(made, i).name.replace("[0]", "");
    names[name] = gl.getUniformLocation(made, name);
  }
  for (let i = gl.getProgramParameter(made, gl.ACTIVE_ATTRIBUTES) - 1; i >= 0; --i) {
    const name = gl.getActiveAttrib(made, i).name;
    names[name] = gl.getAttribLocation(made, name);
  }
  return names;
}

const colours = { path: [0.05, 0.3, 0.62, 1], isthmus: [0.99, 0.93, 0.3, 1], exit: [0.99, 0.93, 0.3, 1],
  target: [0.85, 0.05, 0.5, 0.5], centre: [0.78, 0, 0.45, 1], inducible: [0.85, 0.33, 0, 1], quiet: [0.98, 0.98, 1, 1], unpaced: [0.6, 0.62, 0.66, 1] };

class Viewer {
  constructor(canvas, scene, changed) {
    const gl = canvas.getContext("webgl2", { antialias: true, alpha: false });
    if (!gl) throw new Error("no WebGL 2 context");
    Object.assign(this, { canvas, scene, gl, changed, mode: 0, circuit: 0, wave: -1, opacity: 1, cut: 0,
      show: { path: true, targets: true, sites: true, lesions: true }, yaw: 0, pitch: 0, zoom: 1, goal: null, dirty: true });
    this.centre = scene.surface.centre;
    this.radius = 1.02 * this.reach();
    this.surface = program(gl, surfaceVertexShader, surfaceFragmentShader);
    this.solid = program(gl, solidVertexShader, solidFragmentShader);
    this.loadSurface();
    this.solidBuffer = gl.createBuffer();
    this.solidArray = gl.createVertexArray();
    this.select(0);
  }

  // Distance of the farthest vertex from the centre [mm].
  reach() {
    const s = this.scene.surface, p = decode(s.positions, Uint16Array);
    let far = 1;
    for (let i = 0; i < p.length; i += 3) {
      const at = [0, 1, 2].map((k) => s.origin[k] + p[i + k] / 65535 * s.extent);
      far = Math.max(far, length(subtract(at, this.centre)));
    }
    return far;
  }

  attribute(where, buffer, size, type, normalized, stride = 0, offset = 0) {
    if (where === undefined) return;
    const gl = this.gl;
    gl.bindBuffer(gl.ARRAY_BUFFER, buffer);
    gl.enableVertexAttribArray(where);
    gl.vertexAttribPointer(where, size, type, normalized, stride, offset);
  }

  loadSurface() {
    const gl = this.gl, s = this.scene.surface;
    const positions = decode(s.positions, Uint16Array), tissue = decode(s.tissue, Uint8Array), triangles = decode(s.triangles, Uint16Array);
    const fill = (target, data) => { const b = gl.createBuffer(); gl.bindBuffer(target, b); gl.bufferData(target, data, gl.STATIC_DRAW); return b; };
    this.array = gl.createVertexArray();
    gl.bindVertexArray(this.array);
    // WebGL wants each vertex to start on a multiple of four bytes, so three shorts get a fourth.
    const padded = new Uint16Array(4 * s.vertices);
    for (let v = 0; v < s.vertices; ++v) for (let k = 0; k < 3; ++k) padded[4 * v + k] = positions[3 * v + k];
    this.attribute(this.surface.a_position, fill(gl.ARRAY_BUFFER, padded), 3, gl.UNSIGNED_SHORT, true, 8);
    this.attribute(this.surface.a_normal, fill(gl.ARRAY_BUFFER, this.normals(positions, triangles)), 4, gl.BYTE, true);
    this.attribute(this.surface.a_tissue, fill(gl.ARRAY_BUFFER, tissue), 4, gl.UNSIGNED_BYTE, true);
    this.latBuffer = gl.createBuffer();
    this.lats = this.scene.circuits.map((c) => decode(c.lat, Uint16Array));
    gl.bindBuffer(gl.ARRAY_BUFFER, this.latBuffer);
    gl.bufferData(gl.ARRAY_BUFFER, this.lats[0] || new Uint16Array(s.vertices).fill(65535), gl.STATIC_DRAW);
    this.attribute(this.surface.a_lat, this.latBuffer, 1, gl.UNSIGNED_SHORT, true);
    fill(gl.ELEMENT_ARRAY_BUFFER, triangles);
    gl.bindVertexArray(null);
  }

  // Per vertex, weighted by triangle area.
  normals(positions, triangles) {
    const sum = new Float32Array(positions.length), at = (v) => [positions[3 * v], positions[3 * v + 1], positions[3 * v + 2]];
    for (let t = 0; t < triangles.length; t += 3) {
      const [a, b, c] = [triangles[t], triangles[t + 1], triangles[t + 2]], p = at(a);
      const n = cross(subtract(at(b), p), subtract(at(c), p));
      for (const v of [a, b, c]) for (let k = 0; k < 3; ++k) sum[3 * v + k] += n[k];
    }
    const packed = new Int8Array(4 * positions.length / 3);
    for (let v = 0; v < positions.length / 3; ++v) {
      const n = unit([sum[3 * v], sum[3 * v + 1], sum[3 * v + 2]]);
      for (let k = 0; k < 3; ++k) packed[4 * v + k] = Math.round(127 * n[k]);
    }
    return packed;
  }

  select(circuit) {
    this.circuit = circuit;
    const gl = this.gl;
    if (this.lats[circuit]) {
      gl.bindBuffer(gl.ARRAY_BUFFER, this.latBuffer);
      gl.bufferData(gl.ARRAY_BUFFER, this.lats[circuit], gl.STATIC_DRAW);
    }
    this.rebuild();
  }

  cycle() { const c = this.scene.circuits[this.circuit]; return c ? c.cycle : 0; }

  rebuild() {
    const gl = this.gl, opaque = new Shapes(), lesions = new Shapes(), circuit = this.scene.circuits[this.circuit];
    if (circuit && this.show.path) {
      opaque.tube(circuit.path, 0.7, colours.path, true);
      opaque.tube(circuit.line, 1.3, colours.isthmus);
      const n = circuit.line.length;
      if (n > 1) {
        const from = circuit.line[Math.max(0, n - 4)], to = circuit.line[n - 1], way = unit(subtract(to, from));
        opaque.cone(add(to, scaled(way, 4.5)), way, 5.5, colours.exit);
      }
    }
    if (this.show.targets) for (const t of this.scene.targets) {
      opaque.ball(t.position, 1.4, colours.centre);
      if (this.show.lesions) lesions.ball(t.position, t.radius, colours.target, 24);
    }
    if (this.show.sites) for (const s of this.scene.sites)
      opaque.ball(s.position, 1.2, s.state === "inducible" ? colours.inducible : s.state === "not paced" ? colours.unpaced : colours.quiet, 8);
    this.opaqueCount = opaque.count;
    this.solidCount = opaque.count + lesions.count;
    gl.bindVertexArray(this.solidArray);
    gl.bindBuffer(gl.ARRAY_BUFFER, this.solidBuffer);
    const data = new Float32Array(11 * this.solidCount);
    data.set(opaque.numbers);
    data.set(lesions.numbers, opaque.numbers.length);
    gl.bufferData(gl.ARRAY_BUFFER, data, gl.STATIC_DRAW);
    const p = this.solid;
    [[p.a_position, 3, 0], [p.a_normal, 3, 12], [p.a_colour, 4, 24], [p.a_lat, 1, 40]].forEach(([where, size, offset]) =>
      this.attribute(where, this.solidBuffer, size, gl.FLOAT, false, 44, offset));
    gl.bindVertexArray(null);
    this.dirty = true;
  }

  turnTo(yaw, pitch) {
    const shortest = ((yaw - this.yaw + Math.PI) % (2 * Math.PI) + 2 * Math.PI) % (2 * Math.PI) - Math.PI;
    this.goal = { yaw: this.yaw + shortest, pitch };
    this.dirty = true;
  }

  // Looks at a point of the wall from outside the heart.
  face(point, tilt = 0) {
    const [apex, base] = this.scene.axis, along = unit(subtract(base, apex));
    const from = subtract(point, add(apex, scaled(along, dot(subtract(point, apex), along))));
    const out = unit(length(from) > 2 ? from : subtract(apex, base));
    this.turnTo(Math.atan2(out[0], -out[1]), clamp(Math.asin(clamp(out[2], -1, 1)) + tilt, -1.5, 1.5));
  }

  // One step of an animated turn; true while under way.
  advance(seconds) {
    if (!this.goal) return false;
    const k = 1 - Math.exp(-9 * seconds), dy = this.goal.yaw - this.yaw, dp = this.goal.pitch - this.pitch;
    this.yaw += k * dy; this.pitch += k * dp;
    if (Math.abs(dy) + Math.abs(dp) < 2e-3) { Object.assign(this, this.goal); this.goal = null; }
    this.dirty = true;
    return true;
  }

  resize() {
    const ratio = Math.min(window.devicePixelRatio || 1, 2);
    const w = Math.max(1, Math.round(this.canvas.clientWidth * ratio)), h = Math.max(1, Math.round(this.canvas.clientHeight * ratio));
    if (this.canvas.width !== w || this.canvas.height !== h) { this.canvas.width = w; this.canvas.height = h; this.dirty = true; }
  }

  camera() {
    const aspect = this.canvas.width / this.canvas.height, half = 0.24;
    const distance = this.radius / Math.sin(half) / Math.min(1, aspect) / this.zoom;
    this.distance = distance;
    this.frame = cameraFrame(this.yaw, this.pitch);
    this.view = viewMatrix(this.frame, this.centre, distance);
    this.projection = perspective(2 * half, aspect, Math.max(1, distance - 1.5 * this.radius), distance + 1.5 * this.radius);
    this.both = multiply(this.projection, this.view);
  }

  // Pixel position on the page's scale, and depth relative to the heart's centre [mm, towards the viewer].
  project(p) {
    const m = this.both, w = m[3] * p[0] + m[7] * p[1] + m[11] * p[2] + m[15];
    const x = (m[0] * p[0] + m[4] * p[1] + m[8] * p[2] + m[12]) / w, y = (m[1] * p[0] + m[5] * p[1] + m[9] * p[2] + m[13]) / w;
    return { x: (x + 1) / 2 * this.canvas.clientWidth, y: (1 - y) / 2 * this.canvas.clientHeight, depth: dot(subtract(p, this.centre), this.frame.back) };
  }

  pixelsPerMillimetre() {
    const a = this.project(this.centre), b = this.project(add(this.centre, this.frame.right));
    return Math.hypot(a.x - b.x, a.y - b.y);
  }

  draw() {
    this.resize();
    if (!this.dirty) return;
    this.dirty = false;
    const gl = this.gl, s = this.scene.surface, p = this.surface;
    this.camera();
    gl.viewport(0, 0, this.canvas.width, this.canvas.height);
    gl.clearColor(0.957, 0.965, 0.976, 1);
    gl.clear(gl.COLOR_BUFFER_BIT | gl.DEPTH_BUFFER_BIT);
    gl.enable(gl.DEPTH_TEST);
    gl.depthFunc(gl.LEQUAL);
    gl.disable(gl.BLEND);
    gl.disable(gl.CULL_FACE);
    gl.blendFuncSeparate(gl.SRC_ALPHA, gl.ONE_MINUS_SRC_ALPHA, gl.ONE, gl.ONE);
    gl.useProgram(p.program);
    gl.uniformMatrix4fv(p.u_view, false, this.view);
    gl.uniformMatrix4fv(p.u_projection, false, this.projection);
    gl.uniform3fv(p.u_origin, s.origin);
    gl.uniform1f(p.u_extent, s.extent);
    gl.uniform3fv(p.u_colours, [tissueColours.healthy, tissueColours.borderZone, tissueColours.core, tissueColours.channel].flat());
    gl.uniform3fv(p.u_stops, latStops.flat());
    gl.uniform1i(p.u_mode, this.cycle() > 0 ? this.mode : 0);
    gl.uniform1f(p.u_wave, this.cycle() > 0 ? this.wave : -1);
    gl.uniform1f(p.u_cycle, Math.max(this.cycle(), 1));
    gl.uniform1f(p.u_cut, this.cut > 0 ? this.distance - this.radius * (1 - 1.7 * this.cut) : 0);
    gl.uniform1f(p.u_opacity, 1);
    gl.bindVertexArray(this.array);
    const seeThrough = this.opacity < 0.99, inner = 3 * (s.counts[0] + s.counts[1]), outer = 3 * s.counts[2];
    gl.drawElements(gl.TRIANGLES, seeThrough ? inner : inner + outer, gl.UNSIGNED_SHORT, 0);
    this.drawSolids(0, this.opaqueCount, 1);
    if (seeThrough) {
      gl.useProgram(p.program);
      gl.bindVertexArray(this.array);
      gl.uniform1f(p.u_opacity, this.opacity);
      gl.enable(gl.BLEND); gl.enable(gl.CULL_FACE); gl.depthMask(false);
      gl.drawElements(gl.TRIANGLES, outer, gl.UNSIGNED_SHORT, 2 * inner);
      gl.depthMask(true); gl.disable(gl.CULL_FACE); gl.disable(gl.BLEND);
    }
    // What lies inside the wall shines through it.
    gl.enable(gl.BLEND); gl.enable(gl.CULL_FACE); gl.depthMask(false);
    gl.depthFunc(gl.GREATER);
    this.drawSolids(0, this.opaqueCount, 0.5);
    this.drawSolids(this.opaqueCount, this.solidCount - this.opaqueCount, 0.75);
    gl.depthFunc(gl.LEQUAL);
    this.drawSolids(this.opaqueCount, this.solidCount - this.opaqueCount, 1);
    gl.depthMask(true); gl.disable(gl.CULL_FACE); gl.disable(gl.BLEND);
    gl.bindVertexArray(null);
    this.changed(this);
  }

  drawSolids(first, count, ghost) {
    if (!count) return;
    const gl = this.gl, p = this.solid;
    gl.useProgram(p.program);
    gl.uniformMatrix4fv(p.u_view, false, this.view);
    gl.uniformMatrix4fv(p.u_projection, false, this.projection);
    gl.uniform1f(p.u_wave, this.wave);
    gl.uniform1f(p.u_cycle, Math.max(this.cycle(), 1));
    gl.uniform1f(p.u_ghost, ghost);
    gl.bindVertexArray(this.solidArray);
    gl.drawArrays(gl.TRIANGLES, first, count);
  }
}
