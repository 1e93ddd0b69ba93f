// Everyone's joints on the canvas at a time. Nothing is allocated from picture to picture.

/** Who is there at a time, and where. */
class People {
  constructor(facts, recording, view) {
    this.facts = facts;
    this.times = recording.times;
    this.tracks = recording.tracks;
    this.view = view;
    this.usualStep = medianStep(recording.times);
    this.opacities = opacities(facts);
    this.seen = new Int32Array(this.tracks.length); // who is there, far ones first
    this.count = 0;
    this.each = this.tracks.map(() => ({
      points: new Float32Array(3 * facts.joints.length), // x, y, distance from the viewer
      opacity: new Float32Array(facts.joints.length), // 0: not drawn
      order: Uint16Array.from(facts.edges.keys()), // of edges, far ones first
      depth: 0,
      top: 0, // joint
      tall: 0, // pixels
    }));
  }

  /** Between two frames, people who are in both lie between. */
  place(time) {
    const { times, tracks } = this;
    const before = lastAtMost(times, time + Math.min(1e-3, this.usualStep / 4));
    const gap = before >= 0 && before + 1 < times.length ? times[before + 1] - times[before] : 0;
    const blends = gap > 0 && gap <= 1.5 * this.usualStep;
    const share = blends ? Math.max(0, (time - times[before]) / gap) : 0;
    this.count = 0;
    for (let m = 0; m < tracks.length; m++) {
      const at = lastAtMost(tracks[m].frames, before);
      if (at < 0 || tracks[m].frames[at] !== before) continue;
      if (this.placePerson(m, at, share)) this.seen[this.count++] = m;
    }
    if (this.view.deep) this.sort();
  }

  placePerson(m, at, share) {
    const { frames, steps, sure } = this.tracks[m];
    const person = this.each[m];
    const { points, opacity } = person;
    const F = frames.length;
    const { dims } = this.facts;
    const next = share > 0 && frames[at + 1] === frames[at] + 1 ? 1 : 0;
    let some = false;
    for (let n = 0; n < opacity.length; n++) {
      opacity[n] = this.opacities[Math.min(sure[n * F + at], sure[n * F + at + next])];
      if (opacity[n] === 0) continue;
      const row = n * dims * F + at;
      const x = mix(steps, row, next, share);
      const y = mix(steps, row + F, next, share);
      const z = dims === 3 ? mix(steps, row + 2 * F, next, share) : 0;
      this.view.project(points, 3 * n, x, y, z);
      some = true;
    }
    if (some) measure(person);
    return some;
  }

  /** Far ones first; the order of the picture before is nearly right already. */
  sort() {
    const { seen, each, facts } = this;
    for (let i = 1; i < this.count; i++) {
      const m = seen[i];
      let j = i - 1;
      for (; j >= 0 && each[seen[j]].depth < each[m].depth; j--) seen[j + 1] = seen[j];
      seen[j + 1] = m;
    }
    for (let i = 0; i < this.count; i++) sortEdges(each[seen[i]], facts.edges);
  }
}

function mix(steps, at, next, share) {
  return steps[at] + share * (steps[at + next] - steps[at]);
}

/** How opaque each level of sureness is drawn. */
function opacities({ sureness, faint, certain }) {
  return Float32Array.from({ length: sureness + 2 }, (_, level) => {
    const sure = (level - 1) / sureness;
    if (sure < faint - 1e-6) return 0;
    return 0.25 + 0.75 * Math.min(1, (sure - faint) / (certain - faint));
  });
}

/** The topmost joint, the longer side of the box around the joints, the mean distance. */
function measure(person) {
  const { points, opacity } = person;
  let top = Infinity;
  let bottom = -Infinity;
  let left = Infinity;
  let right = -Infinity;
  let depth = 0;
  let count = 0;
  for (let n = 0; n < opacity.length; n++) {
    if (opacity[n] === 0) continue;
    const x = points[3 * n];
    const y = points[3 * n + 1];
    if (y < top) {
      top = y;
      person.top = n;
    }
    if (y > bottom) bottom = y;
    if (x < left) left = x;
    if (x > right) right = x;
    depth += points[3 * n + 2];
    count++;
  }
  person.tall = Math.max(bottom - top, right - left);
  person.depth = depth / count;
}

function sortEdges({ order, points }, edges) {
  for (let i = 1; i < order.length; i++) {
    const edge = order[i];
    const depth = edgeDepth(points, edges[edge]);
    let j = i - 1;
    for (; j >= 0 && edgeDepth(points, edges[order[j]]) < depth; j--) order[j + 1] = order[j];
    order[j + 1] = edge;
  }
}

function edgeDepth(points, edge) {
  return points[3 * edge[0] + 2] + points[3 * edge[1] + 2];
}

function medianStep(times) {
  if (times.length < 2) return 1 / 30;
  const steps = times.slice(1).map((time, i) => time - times[i]).sort();
  return steps[steps.length >> 1];
}
