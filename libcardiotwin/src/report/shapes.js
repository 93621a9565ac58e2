// Triangles of tubes and balls, collected into one buffer: position 3, normal 3, colour 4, lat 1 (ms, -1: none).
class Shapes {
  constructor() { this.numbers = []; this.count = 0; }

  vertex(p, n, colour, lat) { this.numbers.push(p[0], p[1], p[2], n[0], n[1], n[2], colour[0], colour[1], colour[2], colour[3], lat); ++this.count; }

  ball(centre, radius, colour, rings = 14) {
    const at = (i, j) => {
      const polar = Math.PI * i / rings, turn = Math.PI * j / rings;
      return [Math.sin(polar) * Math.cos(turn), Math.sin(polar) * Math.sin(turn), Math.cos(polar)];
    };
    for (let i = 0; i < rings; ++i)
      for (let j = 0; j < 2 * rings; ++j)
        for (const n of [at(i, j), at(i + 1, j), at(i + 1, j + 1), at(i, j), at(i + 1, j + 1), at(i, j + 1)])
          this.vertex(add(centre, scaled(n, radius)), n, colour, -1);
  }

  // points: [x, y, z, lat]
  tube(points, radius, colour, closed = false, sides = 8) {
    const line = points.filter((p, i) => i === 0 || length(subtract(p, points[i - 1])) > 1e-6);
    if (line.length < 2) return;
    if (closed) line.push(line[0]);
    let normal = null;
    const rings = line.map((p, i) => {
      const along = unit(subtract(line[Math.min(i + 1, line.length - 1)], line[Math.max(i - 1, 0)]));
      // Carry the frame along with the least turn, so that the tube does not twist.
      const seed = normal || (Math.abs(along[0]) < 0.9 ? [1, 0, 0] : [0, 1, 0]);
      normal = unit(subtract(seed, scaled(along, dot(seed, along))));
      const side = cross(along, normal);
      const ring = [];
      for (let k = 0; k <= sides; ++k) {
        const turn = 2 * Math.PI * k / sides;
        ring.push(add(scaled(normal, Math.cos(turn)), scaled(side, Math.sin(turn))));
      }
      return { p, ring };
    });
    for (let i = 0; i + 1 < rings.length; ++i)
      for (let k = 0; k < sides; ++k)
        for (const [r, m] of [[rings[i], k], [rings[i], k + 1], [rings[i + 1], k + 1], [rings[i], k], [rings[i + 1], k + 1], [rings[i + 1], k]])
          this.vertex(add(r.p, scaled(r.ring[m], radius)), r.ring[m], colour, r.p[3] === undefined ? -1 : r.p[3]);
  }

  cone(tip, direction, size, colour, sides = 16) {
    const seed = Math.abs(direction[0]) < 0.9 ? [1, 0, 0] : [0, 1, 0];
    const u = unit(cross(direction, seed)), v = cross(direction, u), back = subtract(tip, scaled(direction, size));
    for (let k = 0; k < sides; ++k) {
      const at = (j) => add(scaled(u, Math.cos(2 * Math.PI * j / sides)), scaled(v, Math.sin(2 * Math.PI * j / sides)));
      const a = at(k), b = at(k + 1), r = size * 0.45;
      this.vertex(tip, a, colour, -1);
      this.vertex(add(back, scaled(a, r)), a, colour, -1);
      this.vertex(add(back, scaled(b, r)), b, colour, -1);
      this.vertex(back, scaled(direction, -1), colour, -1);
      this.vertex(add(back, scaled(b, r)), scaled(direction, -1), colour, -1);
      this.vertex(add(back, scaled(a, r)), scaled(direction, -1), colour, -1);
    }
  }
}
