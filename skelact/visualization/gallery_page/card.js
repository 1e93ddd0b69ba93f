// One clip: its picture, what is known of it, and what the reviewer says.

const RELOAD = 0.4; // seconds of rest before a clip begins anew

/** The picture of a card: tags only where there are several people. */
class SmallStage extends Stage {
  drawTag(i, time) {
    if (this.facts.tracks.length > 1) super.drawTag(i, time);
  }
}

/** A clip with its times: frames are counted in the clip of the store. */
class Clip {
  constructor(facts, shared) {
    Object.assign(this, facts);
    this.drawn = { ...shared, ...facts };
    this.key = Corrections.key(facts.id, facts.part);
    this.name = facts.part === null ? facts.id : `${facts.id}, part ${facts.part}`;
    this.place = facts.label; // among the classes
    this.label = facts.label < 0 ? null : shared.classes[facts.label];
    this.length = (facts.own[1] - facts.own[0] + 1) / facts.fps;
    this.known = Object.entries(facts.facts).map(([name, value]) => `${name} ${value}`.toLowerCase());
    const { split, ...rest } = facts.facts;
    const short = Object.entries(rest).map(([name, value]) => `${name} ${value}`);
    this.about = [`${this.length.toFixed(1)} s`, ...(split ? [split] : []), ...short].join(" · ");
    this.words = `${this.name} ${this.label ?? ""}`.toLowerCase();
  }

  /** Whether words are in its id, its class or a fact; subject 3 is not subject 30. */
  says(words) {
    return this.words.includes(words)
      || this.known.some((fact) => fact === words || (fact.includes(words) && !/\d$/.test(words)));
  }

  read() {
    return readRecording(this.drawn, this.data);
  }

  /** Seconds, in the recording, of a frame of the clip. */
  time(times, frame) {
    const place = Math.max(0, (frame - this.offset) / this.every);
    const before = Math.min(times.length - 1, Math.floor(place));
    const after = times[before + 1] ?? times[before] + this.every / this.fps;
    return times[before] + (place - before) * (after - times[before]);
  }

  /** The frame of the clip at a time. */
  frame(times, time) {
    return this.offset + Math.max(0, lastAtMost(times, time + 1e-6)) * this.every;
  }

  /** What the file says of a trim; null for none. */
  trim(times, first, last) {
    if (first === this.own[0] && last === this.own[1]) return null;
    const seconds = (frame) => Number((this.begin + this.time(times, frame) - this.first).toFixed(4));
    const end = Number((seconds(last) + 1 / this.fps).toFixed(4));
    return { first, last, start: seconds(first), end };
  }

  /** First and last frame that stay. */
  range({ trim }) {
    return trim ? [trim.first, trim.last] : this.own;
  }
}

class Card {
  constructor(clip, findings, dropIt) {
    this.clip = clip;
    this.said = {};
    this.recording = this.stage = null;
    this.near = false;
    this.phase = 0; // seconds since the clip began
    this.canvas = element("canvas", "", "", { role: "img", "aria-label": `Skeletons of ${clip.name}` });
    this.state = element("p", "state");
    this.label = element("p", "label");
    this.drop = element("button", "", "Drop", { type: "button", tabindex: "-1" });
    this.drop.addEventListener("click", (event) => (event.stopPropagation(), dropIt(this)));
    this.element = element("article", "card", "", { tabindex: "-1", "aria-keyshortcuts": "Enter D" });
    this.element.card = this;
    const picture = element("div", "picture");
    picture.append(this.canvas, this.flags(findings), this.state);
    const foot = element("div", "foot");
    foot.append(element("p", "about", clip.about, { title: clip.about }), this.drop);
    this.element.append(picture, this.label, element("p", "id", clip.name, { title: clip.name }), foot);
    this.show({});
  }

  flags(findings) {
    const list = element("div", "flags");
    for (const [place] of this.clip.flags) {
      const [severity, check, message] = findings[place];
      list.append(element("span", `flag ${severity}`, check, { title: message }));
    }
    return list;
  }

  /** Shows what the reviewer says. */
  show(said) {
    const { clip, element: card } = this;
    this.said = said;
    const now = said.label?.to ?? clip.label ?? "no label";
    this.label.textContent = said.label ? `→ ${now}` : now;
    this.label.title = said.label ? `${clip.label ?? "no label"} → ${now}` : now;
    this.label.classList.toggle("new", Boolean(said.label));
    const words = [said.drop && "dropped", said.trim && `frames ${said.trim.first} to ${said.trim.last}`,
      said.note && `“${said.note}”`].filter(Boolean);
    this.state.textContent = words.join(" · ");
    this.drop.textContent = said.drop ? "Keep" : "Drop";
    card.classList.toggle("dropped", Boolean(said.drop));
    card.classList.toggle("corrected", Object.keys(said).length > 0);
    const flags = clip.flags.length ? `, ${counted(clip.flags.length, "finding")}` : "";
    card.setAttribute("aria-label", [`${clip.name}, ${now}${flags}`, ...words].join(", "));
    if (this.stage) this.draw();
  }

  async open() {
    this.near = true;
    this.recording ??= await this.clip.read();
    if (!this.near || this.stage) return;
    this.stage = new SmallStage(this.canvas, this.clip.drawn, this.recording, (m) => this.clip.tracks[m].id);
    this.draw();
  }

  /** Gives the memory of what is out of sight back. */
  close() {
    this.near = false;
    this.stage = this.recording = null;
    this.canvas.width = this.canvas.height = 0;
  }

  /** Start and seconds of what stays. */
  span() {
    const { times } = this.recording;
    const [first, last] = this.clip.range(this.said);
    const start = this.clip.time(times, first);
    return [start, this.clip.time(times, last) - start + 1 / this.clip.fps];
  }

  /** One picture; a clip that does not play shows its middle. */
  draw() {
    if (!this.recording.times.length) return;
    const [start, length] = this.span();
    const since = this.phase > 0 ? this.phase : length / 2;
    this.stage.draw(start + Math.min(since, length - 1e-3));
  }

  play(seconds) {
    const [, length] = this.span();
    this.phase += seconds;
    if (this.phase > length + RELOAD) this.phase = 1e-6;
    this.draw();
  }

  rest() {
    if (this.phase === 0) return;
    this.phase = 0;
    this.draw();
  }
}
