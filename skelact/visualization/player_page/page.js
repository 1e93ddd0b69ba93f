// Puts the page together.

/** What differs from recording to recording, beside people and times. */
function describe(facts, keys) {
  const deep = facts.dims === 3;
  const [wide, high] = facts.high.map((end, c) => end - facts.low[c]);
  const people = facts.tracks.length;
  const who = people === 1 ? "one person" : `${people || "no"} people`;
  const choices = (id, values, text) => byId(id).append(...values.map((v) => new Option(text(v), v)));
  choices("speed", SPEEDS, (speed) => `${speed}×`);
  choices("zoom", ZOOMS, (zoom) => (zoom === 1 ? "whole" : `${zoom}×`));
  choices("video-place", deep ? ["beside", "off"] : ["under", "beside", "off"], (place) => place);
  byId("speed").value = "1";
  byId("where").hidden = !facts.video;
  byId("reset").hidden = !deep;
  byId("stage").classList.toggle("deep", deep);
  byId("stage").style.setProperty("--aspect", deep ? 1.5 : wide / high);
  const turn = deep ? "; drag, or press Shift and an arrow key, to turn the view" : "";
  byId("canvas").setAttribute("aria-label", `Skeletons of ${who}${turn}`);
  for (const [key, what] of keys) {
    byId("key-list").append(element("dt", "", key), element("dd", "", what));
  }
  byId("legend").textContent = legend(facts, deep);
}

function legend(facts, deep) {
  if (!facts.tracks.length) return "Nobody was seen in this recording.";
  const parts = ["Blue is a person's own left side, orange the right; the number is the person's."];
  if (deep) parts.push(`The squares of the floor measure ${Number(floorCell(facts).toPrecision(2))} m.`);
  const named = ", blue where an action was named; below it the scores from 0 to 1";
  parts.push(`Over time: grey where the person was seen${facts.result ? named : ""}.`);
  return parts.join(" ");
}

async function openPage() {
  const facts = JSON.parse(byId("facts").textContent);
  for (const track of facts.tracks) {
    for (const segment of track.segments) segment.tag = `${track.id} ${segment.label}`;
  }
  const recording = await readRecording(facts, byId("joints").textContent);
  const stage = new Stage(byId("canvas"), facts, recording, (m, time) => tagText(facts, m, time));
  const film = new Film(byId("video"), facts, (message) => {
    trouble(message);
    byId("where").hidden = true;
    placeVideo(player, "off");
  });
  const display = new Display(facts, recording.times.length);
  const player = new Player(facts, recording, stage, film, (...now) => display.show(player, ...now));
  makeTimeline(facts, recording, (time) => player.seek(time));
  const keys = keyTable(player, { deep: facts.dims === 3, video: facts.video, result: facts.result });
  const acts = Object.assign({}, ...keys.map(([, , act]) => act));
  describe(facts, keys);
  listenToKeys(acts);
  listenToControls(player, display, acts);
  if (facts.dims === 3) listenToTurning(player, acts);
  placeVideo(player, facts.video ? byId("video-place").value : "off");
  player.seek(facts.first);
  window.skelact = player; // for tests, and for who wants to drive the page
  const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
  if (!still && facts.tracks.length) player.play();
}

openPage().catch((error) => {
  trouble(`This page does not open here: ${error.message}. It needs Chromium 97, Firefox 113, `
    + "Safari 16.4 or a later one.");
  throw error;
});
