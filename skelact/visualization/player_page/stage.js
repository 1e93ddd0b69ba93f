// Drawing on the canvas. Nothing is allocated from picture to picture.

const WIDER = 420; // pixels of canvas that make a line one wider
const DENSE = 30; // joints from which on lines become thinner
const LETTERS = "DejaVu Sans, Verdana, system-ui, sans-serif";

/** Draws people at a time; `textOf(m, time)` is what stands on a person's tag. */
class Stage {
  constructor(canvas, facts, recording, textOf) {
    this.canvas = canvas;
    this.pen = canvas.getContext("2d");
    this.facts = facts;
    this.textOf = textOf;
    this.view = new View(facts);
    this.people = new People(facts, recording, this.view);
    this.clear = false; // let the video behind show
    this.draws = 0;
    this.widths = new Map(); // of texts, for letters of one pixel
    this.taken = new Float32Array(4 * facts.tracks.length); // corners of tags
    this.ends = new Float32Array(6);
    this.resize();
  }

  resize() {
    const { canvas, view } = this;
    this.ratio = Math.min(2, window.devicePixelRatio || 1);
    view.width = Math.max(1, canvas.clientWidth);
    view.height = Math.max(1, canvas.clientHeight);
    canvas.width = Math.round(view.width * this.ratio);
    canvas.height = Math.round(view.height * this.ratio);
    this.size = Math.max(11, Math.round(Math.max(view.width, view.height) / 85));
    this.font = `bold ${this.size}px ${LETTERS}`;
  }

  draw(time) {
    const { pen, people, view } = this;
    this.draws++;
    view.aim();
    pen.setTransform(this.ratio, 0, 0, this.ratio, 0, 0);
    pen.globalAlpha = 1;
    pen.clearRect(0, 0, view.width, view.height);
    if (!this.clear) this.drawGround();
    people.place(time);
    for (let i = 0; i < people.count; i++) this.drawPerson(people.seen[i]);
    pen.font = this.font;
    pen.textBaseline = "middle";
    for (let i = 0; i < people.count; i++) this.drawTag(i, time);
  }

  /** The area of the image, or the floor; and nobody as nobody. */
  drawGround() {
    const { pen, view, facts } = this;
    const wide = view.deep ? view.width : view.scale * view.span[0];
    const high = view.deep ? view.height : view.scale * view.span[1];
    pen.fillStyle = facts.canvas;
    pen.fillRect((view.width - wide) / 2, (view.height - high) / 2, wide, high);
    if (!facts.tracks.length) {
      pen.fillStyle = facts.sides[0];
      pen.font = this.font;
      pen.textAlign = "center";
      pen.fillText("nobody was seen", view.width / 2, view.height / 2);
    } else if (view.deep) this.drawFloor();
  }

  drawFloor() {
    const { pen, view, ends } = this;
    const { floor } = view;
    pen.strokeStyle = this.facts.floor;
    pen.lineWidth = 1;
    pen.beginPath();
    for (let i = 0; i < floor.length; i += 6) {
      view.project(ends, 0, floor[i], floor[i + 1], floor[i + 2]);
      view.project(ends, 3, floor[i + 3], floor[i + 4], floor[i + 5]);
      pen.moveTo(ends[0], ends[1]);
      pen.lineTo(ends[3], ends[4]);
    }
    pen.stroke();
  }

  drawPerson(m) {
    const { pen, facts } = this;
    const { points, opacity, order, tall } = this.people.each[m];
    const line = this.lineWidth(tall);
    pen.lineCap = "round";
    pen.globalAlpha = 0.5;
    pen.strokeStyle = "#000";
    pen.lineWidth = line + 2;
    pen.beginPath(); // dark below, so that bones show on any background
    for (let i = 0; i < order.length; i++) this.addBone(facts.edges[order[i]], points, opacity);
    pen.stroke();
    pen.lineWidth = line;
    for (let i = 0; i < order.length; i++) {
      const edge = facts.edges[order[i]];
      pen.globalAlpha = Math.min(opacity[edge[0]], opacity[edge[1]]);
      pen.strokeStyle = facts.sides[edge[2]];
      pen.beginPath();
      this.addBone(edge, points, opacity);
      pen.stroke();
    }
    pen.fillStyle = facts.tracks[m].colour;
    for (let n = 0; n < opacity.length; n++) {
      if (opacity[n] === 0) continue;
      pen.globalAlpha = opacity[n];
      pen.beginPath();
      pen.arc(points[3 * n], points[3 * n + 1], Math.max(1, 0.8 * line), 0, 7);
      pen.fill();
    }
  }

  addBone(edge, points, opacity) {
    const a = edge[0];
    const b = edge[1];
    if (opacity[a] === 0 || opacity[b] === 0) return;
    this.pen.moveTo(points[3 * a], points[3 * a + 1]);
    this.pen.lineTo(points[3 * b], points[3 * b + 1]);
  }

  /** By the canvas, but thinner on small people and on skeletons of many joints. */
  lineWidth(tall) {
    const { width, height } = this.view;
    const dense = Math.min(1, Math.sqrt(DENSE / this.facts.joints.length));
    const line = Math.min(1.5 + Math.max(width, height) / WIDER, Math.max(tall / 40, 1.5));
    return Math.max(1, dense * line);
  }

  /** Id and label beside the topmost joint. */
  drawTag(i, time) {
    const { pen, size, view } = this;
    const m = this.people.seen[i];
    const { points, top } = this.people.each[m];
    const text = this.textOf(m, time);
    if (!this.widths.has(text)) this.widths.set(text, pen.measureText(text).width / size);
    const wide = (this.widths.get(text) + 0.6) * size;
    const high = 1.35 * size;
    const x = Math.max(0, Math.min(view.width - wide, points[3 * top]));
    const above = Math.max(0, Math.min(view.height - high, points[3 * top + 1] - 4 - high));
    const y = this.freePlace(i, x, above, wide, high);
    pen.globalAlpha = 0.92;
    pen.fillStyle = this.facts.tracks[m].colour;
    pen.fillRect(x, y, wide, high);
    pen.globalAlpha = 1;
    pen.fillStyle = this.facts.tracks[m].ink;
    pen.fillText(text, x + 0.3 * size, y + high / 2);
  }

  /** `y` moved down until the tag covers no other one, or a few tries are spent. */
  freePlace(i, x, y, wide, high) {
    const { taken } = this;
    for (let tries = 0; tries < 8; tries++) {
      let below = -1;
      for (let k = 0; k < 4 * i; k += 4) {
        const aside = x >= taken[k + 2] || taken[k] >= x + wide;
        if (!aside && y < taken[k + 3] && taken[k + 1] < y + high) below = Math.max(below, taken[k + 3]);
      }
      if (below < 0) break;
      y = below + 1;
    }
    taken[4 * i] = x;
    taken[4 * i + 1] = y;
    taken[4 * i + 2] = x + wide;
    taken[4 * i + 3] = y + high;
    return y;
  }
}
