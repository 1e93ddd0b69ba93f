// Time, buttons and keys.

const SPEEDS = [0.1, 0.25, 0.5, 1, 1.5, 2, 4, 8];
const ZOOMS = [1, 2, 5, 10, 30];
const KEYS = [
  ["Space", "play or pause"],
  ["← →", "one frame back or forth"],
  ["J L", "five seconds back or forth"],
  ["Home End", "first or last frame"],
  ["P N", "previous or next segment"],
  ["< >", "slower or faster"],
  ["R", "repeat"],
  ["Tab, then arrows", "to the segments, and from one to the next; Enter jumps there"],
  ["?", "this list"],
];
const byId = (id) => document.getElementById(id);

function trouble(message) {
  byId("trouble").textContent = message;
  byId("trouble").hidden = false;
}

async function open() {
  const facts = JSON.parse(byId("facts").textContent);
  for (const track of facts.tracks) {
    track.text = String(track.id);
    for (const segment of track.segments) segment.text = `${track.id} ${segment.label}`;
  }
  const recording = await readRecording(facts, byId("joints").textContent);
  const stage = makeStage(byId("canvas"), facts, recording, labelOf);
  const film = makeFilm(facts, (message) => {
    trouble(message);
    placeVideo("off");
    byId("where").hidden = true;
  });
  const { times } = recording;
  const last = facts.first + facts.length;
  const quiet = matchMedia("(prefers-reduced-motion: reduce)").matches;
  const player = { time: facts.first, playing: false, speed: 1, repeat: false, stage, recording, seek, play, pause };
  const buttons = makeTimeline(facts, recording, seek);
  let began = 0;
  let written = -1;
  let waiting = 0;
  let zoom = 1; // of the timeline

  function labelOf(m, time) {
    const track = facts.tracks[m];
    for (let i = 0; i < track.segments.length; i++) {
      const segment = track.segments[i];
      if (segment.start <= time && time < segment.end) return segment.text;
    }
    return track.text;
  }

  function frameAt(time) {
    return Math.max(0, lastAtMost(times, time + 1e-6));
  }

  function show() {
    waiting = 0;
    const usable = film.video && film.place !== "off";
    stage.draw(usable && player.playing && film.shown !== null ? film.shown : player.time);
    const share = (player.time - facts.first) / facts.length;
    byId("playhead").style.transform = `translateX(${100 * share}%)`;
    if (zoom > 1) follow(share);
    if (player.playing && Math.abs(player.time - written) < 0.08) return;
    written = player.time;
    byId("scrub").value = 1000 * share;
    byId("clock").textContent = `${player.time.toFixed(2)} s of ${last.toFixed(2)} s, frame ${frameAt(player.time) + 1} of ${times.length}`;
    if (!player.playing) tell();
  }

  /** Keeps the playhead of an enlarged timeline in sight. */
  function follow(share, always = false) {
    const view = byId("content");
    const at = share * view.scrollWidth - view.scrollLeft;
    if (always || at < 0.1 * view.clientWidth || at > 0.95 * view.clientWidth) view.scrollLeft += at - 0.3 * view.clientWidth;
  }

  /** Draws once, however often it is asked before the next picture. */
  function later() {
    if (!player.playing && !waiting) waiting = requestAnimationFrame(show);
  }

  function tell() {
    const who = Array.from(stage.seen.subarray(0, stage.numSeen)).sort((a, b) => a - b);
    const what = who.map((m) => `person ${labelOf(m, player.time)}`).join("; ") || "nobody";
    byId("scrub").setAttribute("aria-valuetext", `${player.time.toFixed(2)} seconds`);
    byId("now").textContent = `${player.time.toFixed(2)} seconds: ${what}`;
  }

  function seek(time) {
    player.time = Math.min(last, Math.max(facts.first, time));
    film.seek(player.time);
    later();
  }

  function step(frames) {
    pause();
    seek(times[Math.min(times.length - 1, Math.max(0, frameAt(player.time) + frames))]);
  }

  function toSegment(way) {
    const starts = buttons.map((button) => button.segment.start);
    const passed = way < 0 && player.playing ? 0.5 : 0; // time to press the key twice
    const start = way > 0 ? starts.find((s) => s > player.time + 1e-6) : starts.findLast((s) => s < player.time - passed - 1e-6);
    if (start !== undefined) seek(start);
  }

  function play() {
    if (player.playing || !times.length) return;
    if (player.time >= times.at(-1)) seek(facts.first);
    setPlaying(true);
    began = performance.now();
    if (film.video && film.place !== "off") film.video.play().catch(() => {});
    requestAnimationFrame(tick);
  }

  function pause() {
    if (!player.playing) return;
    setPlaying(false);
    film.video?.pause();
    seek(times[frameAt(player.time)]);
  }

  function setPlaying(playing) {
    player.playing = playing;
    byId("play").setAttribute("aria-label", playing ? "Pause" : "Play");
    byId("play").classList.toggle("playing", playing);
  }

  function tick(now) {
    if (!player.playing) return;
    const video = film.place !== "off" ? film.video : null;
    const usable = video && !video.ended && !(player.time > video.duration);
    if (usable) player.time = Math.max(facts.first, video.currentTime);
    else player.time += (Math.min(250, Math.max(0, now - began)) / 1000) * player.speed;
    began = now;
    if (player.time >= last) {
      player.time = last;
      if (player.repeat) {
        seek(facts.first);
        film.video?.play().catch(() => {});
      } else return pause();
    }
    show();
    requestAnimationFrame(tick);
  }

  function setSpeed(speed) {
    player.speed = speed;
    byId("speed").value = String(speed);
    if (film.video) film.video.playbackRate = speed;
  }

  function setRepeat(repeat) {
    byId("repeat").checked = player.repeat = repeat;
  }

  function placeVideo(place) {
    film.place = place;
    byId("stage").className = `stage video-${place} ${facts.dims === 3 ? "deep" : "flat"}`;
    byId("video").hidden = place === "off";
    byId("video-place").value = place;
    stage.clear = place === "under";
    film.shown = null;
    if (film.video) {
      film.seek(player.time);
      if (player.playing && place !== "off") film.video.play().catch(() => {});
      else film.video.pause();
    }
  }

  function listen() {
    const presses = {
      " ": () => (player.playing ? pause() : play()),
      k: () => (player.playing ? pause() : play()),
      arrowleft: () => step(-1),
      arrowright: () => step(1),
      j: () => seek(player.time - 5),
      l: () => seek(player.time + 5),
      home: () => seek(facts.first),
      end: () => (pause(), seek(times.at(-1))),
      p: () => toSegment(-1),
      n: () => toSegment(1),
      "<": () => setSpeed(SPEEDS[Math.max(0, SPEEDS.indexOf(player.speed) - 1)]),
      ">": () => setSpeed(SPEEDS[Math.min(SPEEDS.length - 1, SPEEDS.indexOf(player.speed) + 1)]),
      r: () => setRepeat(!player.repeat),
      "?": () => byId("help").showModal(),
    };
    if (facts.dims === 3) Object.assign(presses, turnKeys());
    if (facts.video) {
      presses.v = () => {
        const places = Array.from(byId("video-place").options, (option) => option.value);
        if (film.video) placeVideo(places[(places.indexOf(film.place) + 1) % places.length]);
      };
    }
    document.addEventListener("keydown", (event) => {
      const press = presses[(event.shiftKey && event.key.startsWith("Arrow") ? "shift+" : "") + event.key.toLowerCase()];
      const native = event.target.closest("select, dialog") || (event.key === " " && event.target.closest("button, input[type=checkbox]"));
      if (!press || native || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      press();
    });
    byId("play").addEventListener("click", presses[" "]);
    byId("back").addEventListener("click", presses.arrowleft);
    byId("forth").addEventListener("click", presses.arrowright);
    byId("keys").addEventListener("click", presses["?"]);
    byId("speed").addEventListener("change", (event) => setSpeed(Number(event.target.value)));
    byId("repeat").addEventListener("change", (event) => setRepeat(event.target.checked));
    byId("video-place").addEventListener("change", (event) => placeVideo(event.target.value));
    byId("zoom").addEventListener("change", (event) => {
      zoom = Number(event.target.value);
      byId("sheet").style.setProperty("--zoom", zoom);
      follow((player.time - facts.first) / facts.length, true);
    });
    byId("scrub").addEventListener("input", (event) => seek(facts.first + (event.target.value / 1000) * facts.length));
    new ResizeObserver(() => (stage.resize(), show())).observe(byId("canvas"));
  }

  function turnKeys() {
    const turned = (act) => () => (act(), later());
    const nearer = (factor) => turned(() => (stage.zoom = Math.min(20, Math.max(0.2, stage.zoom * factor))));
    const canvas = byId("canvas");
    const reset = turned(stage.reset);
    byId("reset").addEventListener("click", reset);
    canvas.addEventListener("pointerdown", (event) => event.button === 0 && canvas.setPointerCapture(event.pointerId));
    canvas.addEventListener("pointermove", (event) => {
      if (canvas.hasPointerCapture(event.pointerId)) turned(() => stage.rotate(-event.movementX / 2, event.movementY / 2))();
    });
    canvas.addEventListener("wheel", (event) => (event.preventDefault(), nearer(Math.exp(-event.deltaY / 500))()), { passive: false });
    return {
      "shift+arrowleft": turned(() => stage.rotate(10, 0)),
      "shift+arrowright": turned(() => stage.rotate(-10, 0)),
      "shift+arrowup": turned(() => stage.rotate(0, -10)),
      "shift+arrowdown": turned(() => stage.rotate(0, 10)),
      "+": nearer(1.2),
      "-": nearer(1 / 1.2),
      0: reset,
    };
  }

  describe(facts);
  listen();
  setSpeed(1);
  placeVideo(film.video ? (facts.dims === 2 ? "under" : "beside") : "off");
  window.skelact = player;
  seek(facts.first);
  if (!quiet && facts.tracks.length) play();
}

/** What differs from recording to recording, beside people and times. */
function describe(facts) {
  const deep = facts.dims === 3;
  byId("speed").append(...SPEEDS.map((speed) => new Option(`${speed}×`, String(speed))));
  byId("zoom").append(...ZOOMS.map((zoom) => new Option(zoom === 1 ? "whole" : `${zoom}×`, String(zoom))));
  byId("reset").hidden = !deep;
  byId("where").hidden = !facts.video;
  const places = deep ? ["beside", "off"] : ["under", "beside", "off"];
  byId("video-place").append(...places.map((place) => new Option(place, place)));
  const people = facts.tracks.length;
  const who = people === 1 ? "one person" : `${people || "no"} people`;
  byId("canvas").setAttribute("aria-label", `Skeletons of ${who}${deep ? "; drag, or press Shift and an arrow key, to turn the view" : ""}`);
  const [wide, high] = facts.high.map((end, c) => end - facts.low[c]);
  byId("stage").style.setProperty("--aspect", deep ? 1.5 : wide / high);
  const keys = [...KEYS];
  if (facts.video) keys.splice(-2, 0, ["V", "video under the skeletons, beside them, or off"]);
  if (deep) keys.splice(-2, 0, ["Shift + arrows", "turn the view; so does dragging"], ["+ − 0", "nearer, farther, first view"]);
  for (const [key, what] of keys) byId("key-list").append(element("dt", "", key), element("dd", "", what));
  byId("legend").textContent = legend(facts, deep);
}

function legend(facts, deep) {
  if (!facts.tracks.length) return "Nobody was seen in this recording.";
  const parts = ["Blue is a person's own left side, orange the right; the number is the person's."];
  if (deep) parts.push(`The squares of the floor measure ${Number(facts.cell.toPrecision(2))} m.`);
  parts.push(facts.result ? "Over time: grey where the person was seen, blue where an action was named, below it the scores from 0 to 1." : "Over time: grey where the person was seen.");
  return parts.join(" ");
}

open().catch((error) => {
  trouble(`This page does not open here: ${error.message}. It needs Chromium 80, Firefox 113, Safari 16.4 or later.`);
  throw error;
});
