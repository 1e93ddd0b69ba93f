// Buttons, keys, and what is written around the picture.

const ZOOMS = [1, 2, 5, 10, 30];

/** What stands on a person's tag: the id, and the action at that time. */
function tagText(facts, m, time) {
  const { id, segments } = facts.tracks[m];
  for (let i = 0; i < segments.length; i++) {
    if (segments[i].start <= time && time < segments[i].end) return segments[i].tag;
  }
  return id;
}

/** Shows the time in the bar, the timeline, the clock, and to screen readers when it rests. */
class Display {
  constructor(facts, frames) {
    this.facts = facts;
    this.frames = frames;
    this.written = NaN; // seconds of the latest text
    this.zoom = 1; // of the timeline
    this.share = 0;
    this.width = 0; // pixels of the timeline
  }

  resize(player) {
    this.width = byId("over").clientWidth;
    player.later();
  }

  show(player, time, frame) {
    const { first, length } = this.facts;
    this.share = (time - first) / length;
    byId("playhead").style.transform = `translateX(${this.share * this.width}px)`;
    if (this.zoom > 1) this.follow();
    if (player.playing && Math.abs(time - this.written) < 0.08) return;
    this.written = time;
    byId("scrub").value = 1000 * this.share;
    const end = (first + length).toFixed(2);
    byId("clock").textContent = `${time.toFixed(2)} s of ${end} s, frame ${frame + 1} of ${this.frames}`;
    this.setPlaying(player.playing);
    if (!player.playing) this.tell(player.stage.people, time);
  }

  setPlaying(playing) {
    byId("play").setAttribute("aria-label", playing ? "Pause" : "Play");
    byId("play").classList.toggle("playing", playing);
  }

  tell({ seen, count }, time) {
    const who = Array.from(seen.subarray(0, count)).sort((a, b) => a - b);
    const what = who.map((m) => `person ${tagText(this.facts, m, time)}`).join("; ");
    byId("scrub").setAttribute("aria-valuetext", `${time.toFixed(2)} seconds`);
    byId("now").textContent = `${time.toFixed(2)} seconds: ${what || "nobody"}`;
  }

  setZoom(zoom) {
    this.zoom = zoom;
    byId("sheet").style.setProperty("--zoom", zoom);
    drawTicks(this.facts.first, this.facts.length, 6 * zoom);
    this.follow(true);
  }

  /** Keeps the playhead of an enlarged timeline in sight. */
  follow(always = false) {
    const view = byId("content");
    const at = this.share * view.scrollWidth - view.scrollLeft;
    const inside = at > 0.1 * view.clientWidth && at < 0.95 * view.clientWidth;
    if (always || !inside) view.scrollLeft += at - 0.3 * view.clientWidth;
  }
}

/** Rows of the list of keys: keys, what they do, and the acts by the names of events. */
function keyTable(player, { deep, video, result }) {
  const toggle = () => (player.playing ? player.pause() : player.play());
  const stepBy = (frames) => () => player.seekFrame(player.frame + frames);
  const jumpBy = (seconds) => () => player.seek(player.time + seconds);
  const start = () => player.seek(player.first);
  const end = () => player.seekFrame(Infinity);
  const to = (way) => () => player.seekSegment(way);
  const speed = (way) => () => showSpeed(player, () => player.changeSpeed(way));
  const changeVideo = () => placeVideo(player, nextPlace(player));
  return [
    ["Space", "play or pause", { " ": toggle, k: toggle }],
    ["← →", "one frame back or forth", { arrowleft: stepBy(-1), arrowright: stepBy(1) }],
    ["J L", "five seconds back or forth", { j: jumpBy(-5), l: jumpBy(5) }],
    ["Home End", "first or last frame", { home: start, end }],
    result && ["P N", "previous or next segment", { p: to(-1), n: to(1) }],
    result && ["Tab, then arrows", "to the segments, and among them; Enter jumps there", {}],
    ["< >", "slower or faster", { "<": speed(-1), ">": speed(1) }],
    ["R", "repeat", { r: () => setRepeat(player, !player.repeat) }],
    video && ["V", "video under the skeletons, beside them, or off", { v: changeVideo }],
    ...(deep ? turnKeys(player) : []),
    ["?", "this list", { "?": () => byId("help").showModal() }],
  ].filter(Boolean);
}

function turnKeys(player) {
  const { view } = player.stage;
  const turn = (aside, down) => () => (view.rotate(aside, down), player.later());
  const nearer = (factor) => () => (view.nearer(factor), player.later());
  const reset = () => (view.reset(), player.later());
  return [
    ["Shift + arrows", "turn the view; so does dragging", {
      "shift+arrowleft": turn(10, 0),
      "shift+arrowright": turn(-10, 0),
      "shift+arrowup": turn(0, -10),
      "shift+arrowdown": turn(0, 10),
    }],
    ["+ − 0", "nearer, farther, first view", { "+": nearer(1.2), "-": nearer(1 / 1.2), 0: reset }],
  ];
}

function showSpeed(player, change) {
  change();
  byId("speed").value = String(player.speed);
}

function setRepeat(player, repeat) {
  byId("repeat").checked = player.repeat = repeat;
}

function placeVideo(player, place) {
  if (place !== "off" && !player.film.there) return;
  byId("stage").dataset.video = place;
  byId("video").hidden = place === "off";
  byId("video-place").value = place;
  player.placeVideo(place);
}

function nextPlace(player) {
  const places = Array.from(byId("video-place").options, (option) => option.value);
  return places[(places.indexOf(player.film.place) + 1) % places.length];
}

/** Keys act everywhere but where an element needs them for itself. */
function listenToKeys(acts) {
  document.addEventListener("keydown", (event) => {
    const shifted = event.shiftKey && event.key.startsWith("Arrow") ? "shift+" : "";
    const act = acts[shifted + event.key.toLowerCase()];
    const owned = event.target.closest("select, dialog")
      || (event.key === " " && event.target.closest("button, input[type=checkbox]"));
    if (!act || owned || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    act();
  });
}

function listenToControls(player, display, acts) {
  const on = (id, event, act) => byId(id).addEventListener(event, (e) => act(e.target));
  on("play", "click", acts[" "]);
  on("back", "click", acts.arrowleft);
  on("forth", "click", acts.arrowright);
  on("keys", "click", acts["?"]);
  on("speed", "change", (choice) => player.setSpeed(Number(choice.value)));
  on("zoom", "change", (choice) => display.setZoom(Number(choice.value)));
  on("repeat", "change", (box) => setRepeat(player, box.checked));
  on("video-place", "change", (choice) => placeVideo(player, choice.value));
  on("scrub", "input", (bar) => player.seek(player.first + (bar.value / 1000) * player.facts.length));
  new ResizeObserver(() => (player.stage.resize(), player.draw())).observe(byId("canvas"));
  new ResizeObserver(() => display.resize(player)).observe(byId("over"));
}

function listenToTurning(player, acts) {
  const canvas = byId("canvas");
  const { view } = player.stage;
  byId("reset").addEventListener("click", acts[0]);
  canvas.addEventListener("pointerdown", (event) => {
    if (event.button === 0) canvas.setPointerCapture(event.pointerId);
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!canvas.hasPointerCapture(event.pointerId)) return;
    view.rotate(-event.movementX / 2, event.movementY / 2);
    player.later();
  });
  canvas.addEventListener("wheel", (event) => {
    event.preventDefault();
    view.nearer(Math.exp(-event.deltaY / 500));
    player.later();
  }, { passive: false });
}
