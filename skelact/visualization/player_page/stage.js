// Drawing everyone at a time. Nothing is allocated while drawing.

const MIDDLE_TURN = 20;
const MIDDLE_TILT = 10; // degrees, as the project's other pictures of 3-D recordings
const FLAT_LINE = 420; // pixels of image that make a line one wider
const TAG_FONT = "DejaVu Sans, Verdana, system-ui, sans-serif";

/** Draws a recording on a canvas; `labelOf(m, time)` gives what a person does. */
function makeStage(canvas, facts, recording, labelOf) {
  const pen = canvas.getContext("2d");
  const { times, tracks } = recording;
  const N = facts.joints.length;
  const deep = facts.dims === 3;
  const M = tracks.length;
  const people = tracks.map(() => ({
    points: new Float32Array(3 * N), // x, y on the canvas; distance from the viewer
    opacity: new Float32Array(N), // 0: not drawn
    order: Uint16Array.from(facts.edges.keys()),
    depth: 0,
    top: 0,
    tall: 0,
  }));
  const seen = new Int32Array(M);
  const taken = new Float32Array(4 * M);
  const widths = new Map();
  const opacities = Float32Array.from({ length: facts.sureness + 2 }, (_, level) => {
    const sure = (level - 1) / facts.sureness;
    return sure < facts.faint - 1e-6
      ? 0
      : 0.25 + 0.75 * Math.min(1, (sure - facts.faint) / (facts.certain - facts.faint));
  });
  const usualStep = medianStep(times);
  const span = facts.high.map((high, c) => (high - facts.low[c]) / facts.step); // steps
  const stage = {
    turn: MIDDLE_TURN,
    tilt: MIDDLE_TILT,
    zoom: 1,
    clear: false, // let the video behind show
    draws: 0,
    numSeen: 0,
    people,
    seen,
    resize,
    draw,
    rotate(turn, tilt) {
      stage.turn = (stage.turn + turn) % 360;
      stage.tilt = Math.max(-90, Math.min(90, stage.tilt + tilt));
    },
    reset() {
      Object.assign(stage, { turn: MIDDLE_TURN, tilt: MIDDLE_TILT, zoom: 1 });
    },
  };
  let ratio = 1;
  let width = 1;
  let height = 1;
  let scale = 1; // canvas pixels a step
  let size = 11; // pixels of the tags' letters
  let font = "";
  let turnSin, turnCos, tiltSin, tiltCos;

  function resize() {
    ratio = Math.min(2, window.devicePixelRatio || 1);
    width = Math.max(1, canvas.clientWidth);
    height = Math.max(1, canvas.clientHeight);
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
    size = Math.max(11, Math.round(Math.max(width, height) / 85));
    font = `bold ${size}px ${TAG_FONT}`;
  }

  function aim() {
    if (!deep) {
      scale = Math.min(width / span[0], height / span[1]);
      return;
    }
    const wide = Math.hypot(span[0], span[2]);
    const turn = (stage.turn * Math.PI) / 180;
    const tilt = (stage.tilt * Math.PI) / 180;
    [turnSin, turnCos] = [Math.sin(turn), Math.cos(turn)];
    [tiltSin, tiltCos] = [Math.sin(tilt), Math.cos(tilt)];
    const high = span[1] * Math.cos((MIDDLE_TILT * Math.PI) / 180) + 0.2 * wide;
    scale = 0.95 * stage.zoom * Math.min(width / wide, height / high);
  }

  /** Puts steps x, y, z where they belong on the canvas. */
  function project(points, at, x, y, z) {
    if (!deep) {
      points[at] = width / 2 + x * scale;
      points[at + 1] = height / 2 + y * scale;
      points[at + 2] = 0;
      return;
    }
    const depth = turnCos * z + turnSin * x;
    points[at] = width / 2 + (turnSin * z - turnCos * x) * scale;
    points[at + 1] = height / 2 - (tiltCos * y + tiltSin * depth) * scale;
    points[at + 2] = tiltCos * depth - tiltSin * y;
  }

  /** Everyone's joints at a time; between two frames, people who are in both lie between. */
  function place(time) {
    const before = lastAtMost(times, time + 1e-3 * Math.min(1, 250 * usualStep));
    const gap = before >= 0 && before + 1 < times.length ? times[before + 1] - times[before] : 0;
    const share = gap > 0 && gap <= 1.5 * usualStep ? Math.max(0, (time - times[before]) / gap) : 0;
    let count = 0;
    for (let m = 0; m < M; m++) {
      const at = before < 0 ? -1 : lastAtMost(tracks[m].frames, before);
      if (at >= 0 && tracks[m].frames[at] === before && placePerson(m, at, share)) seen[count++] = m;
    }
    return count;
  }

  function placePerson(m, at, share) {
    const { frames, steps, sure } = tracks[m];
    const person = people[m];
    const { points, opacity } = person;
    const F = frames.length;
    const next = share > 0 && frames[at + 1] === frames[at] + 1 ? 1 : 0;
    let [top, bottom, left, right] = [Infinity, -Infinity, Infinity, -Infinity];
    person.depth = 0;
    for (let n = 0; n < N; n++) {
      const level = Math.min(sure[n * F + at], sure[n * F + at + next]);
      opacity[n] = opacities[level];
      if (opacity[n] === 0) continue;
      const row = n * facts.dims * F + at;
      const x = steps[row] + share * (steps[row + next] - steps[row]);
      const y = steps[row + F] + share * (steps[row + F + next] - steps[row + F]);
      const z = deep ? steps[row + 2 * F] + share * (steps[row + 2 * F + next] - steps[row + 2 * F]) : 0;
      project(points, 3 * n, x, y, z);
      if (points[3 * n + 1] < top) {
        top = points[3 * n + 1];
        person.top = n;
      }
      bottom = Math.max(bottom, points[3 * n + 1]);
      left = Math.min(left, points[3 * n]);
      right = Math.max(right, points[3 * n]);
      person.depth = Math.max(person.depth, points[3 * n + 2]);
    }
    person.tall = Math.max(bottom - top, right - left);
    return top < Infinity;
  }

  /** Far ones first; the order of the frame before is nearly right already. */
  function sortByDepth(count) {
    for (let i = 1; i < count; i++) {
      const m = seen[i];
      let j = i - 1;
      for (; j >= 0 && people[seen[j]].depth < people[m].depth; j--) seen[j + 1] = seen[j];
      seen[j + 1] = m;
    }
  }

  function sortEdges({ order, points }) {
    for (let i = 1; i < order.length; i++) {
      const edge = order[i];
      const depth = edgeDepth(points, edge);
      let j = i - 1;
      for (; j >= 0 && edgeDepth(points, order[j]) < depth; j--) order[j + 1] = order[j];
      order[j + 1] = edge;
    }
  }

  function edgeDepth(points, edge) {
    return points[3 * facts.edges[edge][0] + 2] + points[3 * facts.edges[edge][1] + 2];
  }

  function draw(time) {
    stage.draws++;
    aim();
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    pen.globalAlpha = 1;
    pen.clearRect(0, 0, width, height);
    if (!stage.clear) drawGround();
    const count = (stage.numSeen = place(time));
    if (deep) sortByDepth(count);
    for (let i = 0; i < count; i++) drawPerson(people[seen[i]], facts.tracks[seen[i]].colour);
    drawTags(count, time);
  }

  function drawPerson(person, colour) {
    const { points, opacity, order } = person;
    if (deep) sortEdges(person);
    const dense = Math.min(1, Math.sqrt(30 / N));
    const line = Math.max(1, dense * Math.min(1.5 + Math.max(width, height) / FLAT_LINE, Math.max(person.tall / 40, 1.5)));
    pen.lineCap = "round";
    pen.globalAlpha = 0.5;
    pen.strokeStyle = "#000";
    pen.lineWidth = line + 2;
    pen.beginPath(); // dark below, so that bones show on any background
    for (let i = 0; i < order.length; i++) lineOf(facts.edges[order[i]], points, opacity);
    pen.stroke();
    pen.lineWidth = line;
    for (let i = 0; i < order.length; i++) {
      const edge = facts.edges[order[i]];
      pen.globalAlpha = Math.min(opacity[edge[0]], opacity[edge[1]]);
      if (pen.globalAlpha === 0) continue;
      pen.strokeStyle = facts.sides[edge[2]];
      pen.beginPath();
      lineOf(edge, points, opacity);
      pen.stroke();
    }
    pen.fillStyle = colour;
    for (let n = 0; n < N; n++) {
      if (opacity[n] === 0) continue;
      pen.globalAlpha = opacity[n];
      pen.beginPath();
      pen.arc(points[3 * n], points[3 * n + 1], Math.max(1, 0.8 * line), 0, 7);
      pen.fill();
    }
    pen.globalAlpha = 1;
  }

  function lineOf(edge, points, opacity) {
    if (opacity[edge[0]] === 0 || opacity[edge[1]] === 0) return;
    pen.moveTo(points[3 * edge[0]], points[3 * edge[0] + 1]);
    pen.lineTo(points[3 * edge[1]], points[3 * edge[1] + 1]);
  }

  /** Id and label beside the topmost joint of each person, moved down off each other. */
  function drawTags(count, time) {
    pen.font = font;
    pen.textBaseline = "middle";
    for (let i = 0; i < count; i++) {
      const m = seen[i];
      const { points, top } = people[m];
      const text = labelOf(m, time);
      if (!widths.has(text)) widths.set(text, pen.measureText(text).width / size);
      const wide = (widths.get(text) + 0.6) * size;
      const high = 1.35 * size;
      const x = Math.max(0, Math.min(width - wide, points[3 * top]));
      const y = freePlace(i, x, Math.max(0, Math.min(height - high, points[3 * top + 1] - 4 - high)), wide, high);
      pen.globalAlpha = 0.92;
      pen.fillStyle = facts.tracks[m].colour;
      pen.fillRect(x, y, wide, high);
      pen.globalAlpha = 1;
      pen.fillStyle = facts.tracks[m].ink;
      pen.fillText(text, x + 0.3 * size, y + high / 2);
    }
  }

  function freePlace(i, x, y, wide, high) {
    for (let tries = 0; tries < 8; tries++) {
      let below = -1;
      for (let k = 0; k < i; k++) {
        const meets = x < taken[4 * k + 2] && taken[4 * k] < x + wide && y < taken[4 * k + 3] && taken[4 * k + 1] < y + high;
        if (meets) below = Math.max(below, taken[4 * k + 3]);
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

  const floor = deep ? floorLines(facts) : [];
  const ends = new Float32Array(6);

  /** The area of the image, or the floor. */
  function drawGround() {
    pen.fillStyle = facts.canvas;
    if (deep) pen.fillRect(0, 0, width, height);
    else pen.fillRect((width - scale * span[0]) / 2, (height - scale * span[1]) / 2, scale * span[0], scale * span[1]);
    if (deep && M) drawFloor();
    if (M) return;
    pen.fillStyle = facts.sides[0];
    pen.font = font;
    pen.textAlign = "center";
    pen.fillText("nobody was seen", width / 2, height / 2);
  }

  function drawFloor() {
    pen.strokeStyle = facts.floor;
    pen.lineWidth = 1;
    pen.beginPath();
    for (let i = 0; i < floor.length; i += 6) {
      project(ends, 0, floor[i], floor[i + 1], floor[i + 2]);
      project(ends, 3, floor[i + 3], floor[i + 4], floor[i + 5]);
      pen.moveTo(ends[0], ends[1]);
      pen.lineTo(ends[3], ends[4]);
    }
    pen.stroke();
  }

  resize();
  return stage;
}

/** Lines of a square grid under the people, in steps from the middle: x, y, z of both ends. */
function floorLines(facts) {
  const { low, high, middle, step } = facts;
  const cell = niceStep(Math.max(high[0] - low[0], high[2] - low[2]) / 6);
  facts.cell = cell;
  const put = (value, c) => (value - middle[c]) / step;
  const [x0, x1, z0, z1] = [low[0], high[0], low[2], high[2]].map((v, i) => cell * (i % 2 ? Math.ceil(v / cell) : Math.floor(v / cell)));
  const y = put(low[1], 1);
  const lines = [];
  for (let x = x0; x < x1 + cell / 2; x += cell) lines.push(put(x, 0), y, put(z0, 2), put(x, 0), y, put(z1, 2));
  for (let z = z0; z < z1 + cell / 2; z += cell) lines.push(put(x0, 0), y, put(z, 2), put(x1, 0), y, put(z, 2));
  return Float32Array.from(lines);
}

/** 1, 2 or 5 times a power of ten, at least `least`. */
function niceStep(least) {
  const power = 10 ** Math.floor(Math.log10(least));
  return power * [1, 2, 5, 10].find((factor) => factor * power >= least * (1 - 1e-9));
}

function medianStep(times) {
  if (times.length < 2) return 1 / 30;
  const steps = Float64Array.from({ length: times.length - 1 }, (_, i) => times[i + 1] - times[i]).sort();
  return steps[steps.length >> 1];
}
