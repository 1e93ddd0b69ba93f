// Who did what, when: drawn once as elements whose places are shares of the time.

const SVG = "http://www.w3.org/2000/svg";

function seconds(time) {
  return `${time.toFixed(1)} s`;
}

/** Fills `#lanes` and `#ticks`; `seek(time)` is called for clicks and drags. */
function makeTimeline(facts, recording, seek) {
  const [first, length] = [facts.first, facts.length];
  const share = (time) => Math.min(1, Math.max(0, (time - first) / length));
  const lanes = document.getElementById("lanes");
  const rows = facts.tracks.map((track, m) => {
    const lane = element("div", track.curves ? "lane" : "lane plain");
    const tag = element("span", "tag", String(track.id), { title: `person ${track.id}` });
    tag.style.background = track.colour;
    tag.style.color = track.ink;
    const time = element("div", "time", "", { role: "group", "aria-label": `person ${track.id}` });
    time.append(drawPresence(recording.times, recording.tracks[m].frames, facts, share));
    if (track.curves) time.append(drawCurves(track.curves, share));
    const row = track.segments.map((segment) => makeSegment(segment, track, share, seek));
    time.append(...row);
    lane.append(tag, time);
    lanes.append(lane);
    seekByPointer(time, (x) => seek(first + x * length));
    return row;
  });
  drawTicks(first, length, 6);
  moveAmong(rows);
}

function makeSegment(segment, track, share, seek) {
  const [left, right] = [share(segment.start), share(segment.end)];
  const others = segment.top.slice(1).map(([label, score]) => `${label} ${score.toFixed(2)}`);
  const when = `${seconds(segment.start)} to ${seconds(segment.end)}`;
  const what = `person ${track.id}: ${segment.label}, ${when}, score ${segment.score.toFixed(2)}`;
  const button = element("button", "segment", "", {
    type: "button",
    tabindex: "-1",
    "aria-label": what,
    title: others.length ? `${what}\nthen ${others.join(", ")}` : what,
  });
  button.style.left = `${100 * left}%`;
  button.style.width = `${100 * (right - left)}%`;
  button.segment = segment;
  button.append(element("span", "", segment.label));
  button.addEventListener("click", () => seek(segment.start));
  return button;
}

/** Grey where a person was seen; what lies within a two-thousandth of the time is one stretch. */
function drawPresence(times, frames, facts, share) {
  const usual = medianStep(times);
  const least = Math.max(1.5 * usual, facts.length / 2000);
  const stretches = [];
  for (const frame of frames) {
    const [start, end] = [times[frame], times[frame] + usual];
    const last = stretches.at(-1);
    if (last && start - last[1] < least) last[1] = end;
    else stretches.push([start, end]);
  }
  const picture = document.createElementNS(SVG, "svg");
  picture.setAttribute("class", "presence");
  picture.setAttribute("preserveAspectRatio", "none");
  picture.setAttribute("viewBox", "0 0 1 1");
  const box = ([start, end]) => `M${share(start)} 0H${share(end)}V1H${share(start)}Z`;
  picture.append(svgPath(stretches.map(box).join(""), "seen"));
  return picture;
}

/** Scores over time as steps, 0 at the bottom and 1 at the top. */
function drawCurves(curves, share) {
  const picture = document.createElementNS(SVG, "svg");
  picture.setAttribute("class", "curves");
  picture.setAttribute("preserveAspectRatio", "none");
  picture.setAttribute("viewBox", "0 0 1 1");
  for (const pieces of curves.others) picture.append(svgPath(drawSteps(pieces, share), "score"));
  picture.append(svgPath(drawSteps(curves.named, share), "score named-score"));
  return picture;
}

/** Pieces (start, end, score); those that follow each other are joined. */
function drawSteps(pieces, share) {
  let path = "";
  let reached = NaN;
  for (const [start, end, score] of pieces) {
    const joins = Math.abs(start - reached) < 1e-6;
    path += `${joins ? "V" : `M${share(start)} `}${1 - score}H${share(end)}`;
    reached = end;
  }
  return path;
}

function svgPath(data, className) {
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", data);
  path.setAttribute("class", className);
  return path;
}

/** At most so many times to read off. */
function drawTicks(first, length, most) {
  const row = document.getElementById("ticks");
  const step = niceStep(length / most);
  row.replaceChildren();
  const digits = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
  const end = first + length - 0.3 * step; // what starts later has no room
  for (let time = Math.ceil(first / step - 1e-6) * step; time <= end; time += step) {
    const tick = element("span", "tick", `${time.toFixed(digits)} s`);
    tick.style.left = `${(100 * (time - first)) / length}%`;
    row.append(tick);
  }
}

function seekByPointer(area, seekShare) {
  const seekTo = (event) => {
    const box = area.getBoundingClientRect();
    seekShare(Math.min(1, Math.max(0, (event.clientX - box.left) / box.width)));
  };
  area.addEventListener("pointerdown", (event) => {
    if (event.button !== 0 || event.target.closest("button")) return;
    area.setPointerCapture(event.pointerId);
    seekTo(event);
  });
  area.addEventListener("pointermove", (event) => {
    if (area.hasPointerCapture(event.pointerId)) seekTo(event);
  });
}

/** One stop of the Tab key for all segments; arrows move between them. */
function moveAmong(rows) {
  const filled = rows.filter((row) => row.length);
  if (!filled.length) return;
  let current = filled[0][0];
  current.tabIndex = 0;
  document.getElementById("lanes").addEventListener("focusin", (event) => {
    if (!event.target.segment) return;
    current.tabIndex = -1;
    current = event.target;
    current.tabIndex = 0;
  });
  document.getElementById("lanes").addEventListener("keydown", (event) => {
    const row = filled.findIndex((buttons) => buttons.includes(event.target));
    if (row < 0 || event.shiftKey) return;
    const place = filled[row].indexOf(event.target);
    const aside = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    const below = { ArrowUp: -1, ArrowDown: 1 }[event.key];
    if (aside === undefined && below === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    if (aside) filled[row][place + aside]?.focus();
    if (below && filled[row + below]) nearest(filled[row + below], event.target.segment.start).focus();
  });
}

function nearest(buttons, time) {
  const far = (button) => Math.abs(button.segment.start - time);
  return buttons.reduce((best, button) => (far(button) < far(best) ? button : best));
}
