// Vectors as [x, y, z]; 4 x 4 matrices column by column, as WebGL wants them.
const add = (a, b) => [a[0] + b[0], a[1] + b[1], a[2] + b[2]];
const subtract = (a, b) => [a[0] - b[0], a[1] - b[1], a[2] - b[2]];
const scaled = (a, s) => [a[0] * s, a[1] * s, a[2] * s];
const dot = (a, b) => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
const cross = (a, b) => [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]];
const length = (a) => Math.hypot(a[0], a[1], a[2]);
const unit = (a) => { const n = length(a); return n > 0 ? scaled(a, 1 / n) : [0, 0, 1]; };
const clamp = (x, low, high) => Math.min(high, Math.max(low, x));

function multiply(a, b) {
  const c = new Float32Array(16);
  for (let column = 0; column < 4; ++column)
    for (let row = 0; row < 4; ++row)
      for (let k = 0; k < 4; ++k) c[4 * column + row] += a[4 * k + row] * b[4 * column + k];
  return c;
}

function perspective(fieldOfView, aspect, near, far) {
  const f = 1 / Math.tan(fieldOfView / 2);
  return new Float32Array([f / aspect, 0, 0, 0, 0, f, 0, 0, 0, 0, (far + near) / (near - far), -1, 0, 0, (2 * far * near) / (near - far), 0]);
}

// The camera turns about the patient's head-foot axis (yaw) and tilts (pitch), in LPS: yaw 0 looks at the patient's
// front with the patient's left on the right of the picture; yaw 90 looks from the left; pitch 90 from the head.
function cameraFrame(yaw, pitch) {
  const cy = Math.cos(yaw), sy = Math.sin(yaw), cp = Math.cos(pitch), sp = Math.sin(pitch);
  const back = [sy * cp, -cy * cp, sp], right = [cy, sy, 0];
  return { right, up: cross(back, right), back };
}

function viewMatrix(frame, centre, distance) {
  const { right, up, back } = frame;
  return new Float32Array([
    right[0], up[0], back[0], 0, right[1], up[1], back[1], 0, right[2], up[2], back[2], 0,
    -dot(right, centre), -dot(up, centre), -dot(back, centre) - distance, 1]);
}
