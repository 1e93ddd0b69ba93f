// From steps around the middle of the scene to pixels of the canvas.

const TURN = 20;
const TILT = 10; // degrees, as the project's other pictures of 3-D recordings

/** Where the viewer stands; a 2-D recording keeps its image, a 3-D one can be turned. */
class View {
  constructor(facts) {
    this.deep = facts.dims === 3;
    this.span = facts.high.map((high, c) => (high - facts.low[c]) / facts.step);
    this.floor = this.deep ? floorLines(facts) : null;
    this.width = this.height = 1;
    this.reset();
  }

  reset() {
    this.turn = TURN;
    this.tilt = TILT;
    this.zoom = 1;
  }

  rotate(turn, tilt) {
    this.turn = (this.turn + turn) % 360;
    this.tilt = Math.max(-90, Math.min(90, this.tilt + tilt));
  }

  nearer(factor) {
    this.zoom = Math.min(20, Math.max(0.2, this.zoom * factor));
  }

  /** Before a picture: what all its joints share. */
  aim() {
    const { span, width, height } = this;
    if (!this.deep) {
      this.scale = Math.min(width / span[0], height / span[1]);
      return;
    }
    const turn = (this.turn * Math.PI) / 180;
    const tilt = (this.tilt * Math.PI) / 180;
    this.turnSin = Math.sin(turn);
    this.turnCos = Math.cos(turn);
    this.tiltSin = Math.sin(tilt);
    this.tiltCos = Math.cos(tilt);
    const wide = Math.hypot(span[0], span[2]);
    this.scale = 0.95 * this.zoom * Math.min(width / wide, height / (span[1] + 0.2 * wide));
  }

  /** Puts x, y and the distance from the viewer at `points[at]`. */
  project(points, at, x, y, z) {
    if (!this.deep) {
      points[at] = this.width / 2 + x * this.scale;
      points[at + 1] = this.height / 2 + y * this.scale;
      return;
    }
    const depth = this.turnCos * z + this.turnSin * x;
    points[at] = this.width / 2 + (this.turnSin * z - this.turnCos * x) * this.scale;
    points[at + 1] = this.height / 2 - (this.tiltCos * y + this.tiltSin * depth) * this.scale;
    points[at + 2] = this.tiltCos * depth - this.tiltSin * y;
  }
}

/** Metres of the side of a square of the floor. */
function floorCell({ low, high }) {
  return niceStep(Math.max(high[0] - low[0], high[2] - low[2]) / 6);
}

/** Lines of a square grid under the people, in steps from the middle: x, y, z of both ends. */
function floorLines(facts) {
  const cell = floorCell(facts);
  const [x0, z0] = [0, 2].map((c) => cell * Math.floor(facts.low[c] / cell));
  const [x1, z1] = [0, 2].map((c) => cell * Math.ceil(facts.high[c] / cell));
  const lines = [];
  const add = (...ends) => {
    ends.forEach((value, i) => lines.push((value - facts.middle[i % 3]) / facts.step));
  };
  const y = facts.low[1];
  for (let x = x0; x < x1 + cell / 2; x += cell) add(x, y, z0, x, y, z1);
  for (let z = z0; z < z1 + cell / 2; z += cell) add(x0, y, z, x1, y, z);
  return Float32Array.from(lines);
}

/** 1, 2 or 5 times a power of ten, at least `least`. */
function niceStep(least) {
  const power = 10 ** Math.floor(Math.log10(least));
  return power * [1, 2, 5, 10].find((factor) => factor * power >= least * (1 - 1e-9));
}
