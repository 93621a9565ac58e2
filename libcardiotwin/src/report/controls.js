// Joins the page's controls to the viewer.
const byId = (id) => document.getElementById(id);

const views = { anterior: [0, 0], posterior: [180, 0], left: [90, 0], right: [-90, 0], superior: [180, 89.9], inferior: [0, -89.9], rao: [-30, 0], lao: [45, 0] };
const axes = [["L", [1, 0, 0]], ["R", [-1, 0, 0]], ["P", [0, 1, 0]], ["A", [0, -1, 0]], ["H", [0, 0, 1]], ["F", [0, 0, -1]]];
const svgNode = (name, attributes) => {
  const node = document.createElementNS(byId("compass").namespaceURI, name);
  for (const key in attributes) node.setAttribute(key, attributes[key]);
  return node;
};

class Controls {
  constructor(scene) {
    this.scene = scene;
    this.canvas = byId("heart");
    this.still = window.matchMedia("(prefers-reduced-motion: reduce)").matches;
    this.spin = !this.still;
    this.playing = !this.still && scene.circuits.length > 0;
    this.time = 0;
    this.visible = true;
    this.pointers = new Map();
    this.overlay();
    this.viewer = new Viewer(this.canvas, scene, (v) => this.placeLabels(v));
    this.start();
    this.wireView();
    this.wirePointer();
    this.wireCircuit();
    this.last = 0;
    if ("IntersectionObserver" in window)
      new IntersectionObserver((entries) => { this.visible = entries[entries.length - 1].isIntersecting; }).observe(this.canvas);
    window.addEventListener("resize", () => { this.viewer.dirty = true; });
    requestAnimationFrame((t) => this.tick(t));
  }

  start() {
    const first = this.scene.targets[0] || null;
    if (first) this.viewer.face(first.position, 0.15);
    else this.viewer.turnTo(Math.PI / 180 * 30, 0.15);
    Object.assign(this.viewer, this.viewer.goal);
    this.viewer.goal = null;
  }

  overlay() {
    const labels = byId("labels"), compass = byId("compass");
    this.pins = this.scene.targets.map((target) => {
      const pin = document.createElement("button");
      pin.type = "button"; pin.className = "pin"; pin.textContent = target.rank; pin.title = target.text;
      pin.addEventListener("click", () => { this.stopSpin(); this.viewer.face(target.position); });
      labels.appendChild(pin);
      return { pin, target };
    });
    this.letters = axes.map(([letter, axis]) => {
      const line = svgNode("line", { x1: 0, y1: 0 }), text = svgNode("text", {});
      text.textContent = letter;
      compass.append(line, text);
      return { axis, line, text };
    });
  }

  placeLabels(v) {
    for (const { pin, target } of this.pins) {
      const at = v.project(target.position);
      pin.style.transform = `translate(${at.x.toFixed(1)}px, ${at.y.toFixed(1)}px) translate(-50%, -50%)`;
      pin.classList.toggle("behind", at.depth < -4);
      pin.hidden = !v.show.targets;
    }
    for (const { axis, line, text } of this.letters) {
      const x = 34 * dot(axis, v.frame.right), y = -34 * dot(axis, v.frame.up), towards = dot(axis, v.frame.back);
      line.setAttribute("x2", x * 0.75); line.setAttribute("y2", y * 0.75);
      text.setAttribute("x", x); text.setAttribute("y", y);
      const opacity = clamp(0.65 + 0.5 * towards, 0.25, 1);
      line.setAttribute("opacity", opacity); text.setAttribute("opacity", opacity);
    }
    byId("scale-bar").style.width = `${(10 * v.pixelsPerMillimetre()).toFixed(1)}px`;
    byId("compass").setAttribute("aria-label", `seen from yaw ${Math.round(v.yaw * 57.3)} and pitch ${Math.round(v.pitch * 57.3)} degrees`);
  }

  stopSpin() { this.spin = false; byId("spin").setAttribute("aria-pressed", "false"); }

  wireView() {
    const v = this.viewer, changed = () => { v.dirty = true; };
    for (const button of document.querySelectorAll("[data-view]"))
      button.addEventListener("click", () => { const [yaw, pitch] = views[button.dataset.view]; this.stopSpin(); v.turnTo(yaw * Math.PI / 180, pitch * Math.PI / 180); });
    for (const button of document.querySelectorAll("[data-target]"))
      button.addEventListener("click", () => {
        const target = this.scene.targets.find((t) => String(t.rank) === button.dataset.target);
        if (target) { this.stopSpin(); v.face(target.position); }
      });
    byId("spin").setAttribute("aria-pressed", String(this.spin));
    byId("spin").addEventListener("click", () => { this.spin = !this.spin; byId("spin").setAttribute("aria-pressed", String(this.spin)); });
    byId("opacity").addEventListener("input", (e) => { v.opacity = e.target.value / 100; changed(); });
    byId("cut").addEventListener("input", (e) => { v.cut = e.target.value / 100; changed(); });
    for (const box of document.querySelectorAll("[data-show]"))
      box.addEventListener("change", () => { v.show[box.dataset.show] = box.checked; v.rebuild(); });
  }

  wireCircuit() {
    const v = this.viewer;
    if (!this.scene.circuits.length) return;
    for (const radio of document.querySelectorAll("input[name=colour]"))
      radio.addEventListener("change", () => { v.mode = Number(radio.value); this.legend(); v.dirty = true; });
    const choice = byId("circuit");
    if (choice) choice.addEventListener("change", () => { v.select(Number(choice.value)); this.time = Math.min(this.time, v.cycle()); this.legend(); this.showTime(); });
    byId("play").addEventListener("click", () => { this.playing = !this.playing; this.showTime(); });
    byId("time").addEventListener("input", (e) => { this.playing = false; this.time = e.target.value / 1000 * v.cycle(); this.showTime(); });
    byId("wave").addEventListener("change", () => this.showTime());
    this.legend();
    this.showTime();
  }

  legend() {
    const lat = this.viewer.mode === 1 && this.viewer.cycle() > 0;
    byId("legend-tissue").hidden = lat;
    byId("legend-lat").hidden = !lat;
    if (!lat) return;
    byId("lat-bar").style.background = `linear-gradient(90deg, ${latStops.map((c) => `rgb(${c.map((x) => Math.round(255 * x)).join(",")})`).join(",")})`;
    byId("lat-end").textContent = `${Math.round(this.viewer.cycle())} ms`;
  }

  showTime() {
    const v = this.viewer, cycle = v.cycle();
    v.wave = byId("wave").checked && cycle > 0 ? this.time / cycle % 1 : -1;
    byId("time").value = Math.round(1000 * this.time / cycle);
    byId("clock").textContent = `${Math.round(this.time)} of ${Math.round(cycle)} ms`;
    byId("play").textContent = this.playing ? "Pause" : "Play";
    v.dirty = true;
  }

  wirePointer() {
    const v = this.viewer, canvas = this.canvas;
    const zoom = (factor) => { v.zoom = clamp(v.zoom * factor, 0.5, 6); v.dirty = true; };
    const turn = (dx, dy) => {
      this.stopSpin();
      v.goal = null;
      v.yaw -= dx; v.pitch = clamp(v.pitch + dy, -1.569, 1.569); v.dirty = true;
    };
    canvas.addEventListener("pointerdown", (e) => { this.pointers.set(e.pointerId, e); this.downAt = [e.clientX, e.clientY]; canvas.setPointerCapture(e.pointerId); this.stopSpin(); this.hideTip(); });
    for (const end of ["pointerup", "pointercancel"]) canvas.addEventListener(end, (e) => {
      this.pointers.delete(e.pointerId);
      this.spread = 0;
      if (end === "pointerup" && Math.hypot(e.clientX - this.downAt[0], e.clientY - this.downAt[1]) < 6) this.hover(e);  // a tap asks what is there
    });
    canvas.addEventListener("pointermove", (e) => {
      const before = this.pointers.get(e.pointerId);
      if (!before) { this.hover(e); return; }
      this.pointers.set(e.pointerId, e);
      if (this.pointers.size === 1) { turn((e.clientX - before.clientX) * 0.008, (e.clientY - before.clientY) * 0.008); return; }
      const [a, b] = [...this.pointers.values()], spread = Math.hypot(a.clientX - b.clientX, a.clientY - b.clientY);
      if (this.spread) zoom(spread / this.spread);
      this.spread = spread;
    });
    canvas.addEventListener("pointerleave", () => this.hideTip());
    canvas.addEventListener("wheel", (e) => { e.preventDefault(); zoom(Math.exp(-clamp(e.deltaY, -200, 200) * 0.0015)); }, { passive: false });
    canvas.addEventListener("dblclick", () => { v.zoom = 1; v.dirty = true; });
    canvas.addEventListener("keydown", (e) => {
      const moves = { ArrowLeft: () => turn(-0.1, 0), ArrowRight: () => turn(0.1, 0), ArrowUp: () => turn(0, -0.1), ArrowDown: () => turn(0, 0.1), "+": () => zoom(1.15), "=": () => zoom(1.15), "-": () => zoom(1 / 1.15) };
      if (moves[e.key]) { e.preventDefault(); moves[e.key](); }
    });
  }

  hideTip() { byId("tip").hidden = true; }

  // The nearest named thing under the pointer.
  hover(e) {
    const v = this.viewer, box = this.canvas.getBoundingClientRect(), x = e.clientX - box.left, y = e.clientY - box.top;
    const circuit = this.scene.circuits[v.circuit], things = [];
    if (v.show.sites) for (const s of this.scene.sites) things.push([s.position, `${s.name}: ${s.text || s.state}`]);
    if (v.show.targets) for (const t of this.scene.targets) things.push([t.position, t.text]);
    if (v.show.path && circuit) things.push([circuit.exit, "exit of the circuit"], [circuit.entrance, "entrance of the isthmus"], [circuit.isthmus, "isthmus"]);
    let best = null, near = 12;
    for (const [position, words] of things) {
      const at = v.project(position), distance = Math.hypot(at.x - x, at.y - y);
      if (distance < near) { near = distance; best = { at, words }; }
    }
    const tip = byId("tip");
    tip.hidden = !best;
    if (!best) return;
    tip.textContent = best.words;
    const width = Math.min(tip.offsetWidth, this.canvas.clientWidth);
    tip.style.left = `${clamp(best.at.x + 10, 0, this.canvas.clientWidth - width)}px`;
    tip.style.top = `${best.at.y + 10}px`;
  }

  tick(now) {
    const seconds = this.last ? Math.min((now - this.last) / 1000, 0.1) : 0;
    this.last = now;
    const v = this.viewer;
    if (this.visible) {
      if (!v.advance(seconds) && this.spin) { v.yaw += 0.25 * seconds; v.dirty = true; }
      if (this.playing && v.cycle() > 0 && byId("wave").checked) {
        this.time = (this.time + 150 * seconds) % v.cycle();   // 150 ms of the heart in each second
        this.showTime();
      }
      v.draw();
    }
    requestAnimationFrame((t) => this.tick(t));
  }
}

function copyTable(button) {
  const rows = [...byId(button.dataset.copy).rows].filter((row) => !row.classList.contains("more"));
  const plain = rows.map((row) => [...row.cells].map((cell) => cell.innerText.trim().replace(/\s+/g, " ")).join("\t")).join("\n");
  const done = () => { button.textContent = "Copied"; setTimeout(() => { button.textContent = "Copy table"; }, 1500); };
  const byHand = () => {
    const area = document.createElement("textarea");
    area.value = plain;
    document.body.appendChild(area);
    area.select();
    document.execCommand("copy");
    area.remove();
    done();
  };
  if (navigator.clipboard && window.isSecureContext) navigator.clipboard.writeText(plain).then(done, byHand);
  else byHand();
}

for (const button of document.querySelectorAll("[data-copy]")) button.addEventListener("click", () => copyTable(button));
function withoutWebGL(why) {
  byId("viewer").classList.add("no-webgl");
  byId("no-webgl-why").textContent = why;
}

byId("heart").addEventListener("webglcontextlost", () => withoutWebGL("the graphics card withdrew; load the page again"));
try {
  new Controls(JSON.parse(byId("scene").textContent));
} catch (error) {
  withoutWebGL(String(error.message || error));
}
