// The closer look at one clip: time, trim, class, note.

const NEW = "\u0000new";

class Editor {
  constructor(gallery, corrections) {
    this.gallery = gallery;
    this.corrections = corrections;
    this.dialog = byId("editor");
    this.card = this.recording = this.stage = null;
    this.playing = false;
    this.time = 0;
    this.listen();
  }

  get clip() {
    return this.card.clip;
  }

  async open(card) {
    const { clip } = card;
    this.card = card;
    this.recording = this.stage = null; // of the clip before
    if (!this.dialog.open) this.dialog.showModal();
    const recording = await clip.read();
    if (this.card !== card) return;
    this.recording = recording;
    this.stage = new SmallStage(byId("canvas"), clip.drawn, recording, (m) => clip.tracks[m].id);
    byId("canvas").setAttribute("aria-label", `Skeletons of ${clip.name}`);
    byId("editor-title").textContent = clip.name;
    this.describe();
    for (const id of ["scrub", "from", "to", "first", "last"]) {
      byId(id).min = clip.offset;
      byId(id).max = clip.end;
    }
    byId("scrub").step = clip.every;
    this.show();
    this.time = this.start;
    this.playing = !matchMedia("(prefers-reduced-motion: reduce)").matches;
    this.setPlaying(this.playing);
    this.draw();
  }

  describe() {
    const { clip } = this;
    const { findings } = this.gallery.facts;
    const every = clip.every > 1 ? [`every ${clip.every}. frame is shown`] : [];
    const lines = [[`frames ${clip.offset} to ${clip.end} of ${clip.total}`, clip.about, ...every].join(" · "),
      ...clip.flags.map(([place]) => `${findings[place][1]}: ${findings[place][2]}`)];
    byId("editor-about").replaceChildren(...lines.map((line) => element("span", "", line)));
  }

  /** What is said of the clip, in the fields. */
  show() {
    if (!this.recording) return;
    const { clip, card: { said } } = this;
    const [first, last] = clip.range(said);
    this.range = [first, last];
    byId("from").value = byId("first").value = first;
    byId("to").value = byId("last").value = last;
    this.showRange(first, last);
    this.fillClasses(said.label?.to ?? clip.label);
    byId("note").value = said.note ?? "";
    byId("drop").setAttribute("aria-pressed", String(Boolean(said.drop)));
    byId("drop").textContent = said.drop ? "Dropped: keep it after all" : "Drop";
    byId("whole").disabled = !said.trim;
    byId("editor-undo").disabled = !this.corrections.past.length;
    const cards = this.gallery.visible();
    const at = cards.indexOf(this.card);
    byId("previous").disabled = at === 0;
    byId("next").disabled = at === cards.length - 1;
    this.draw();
  }

  showRange(first, last) {
    const { offset, end } = this.clip;
    const share = (frame) => `${(100 * (frame - offset)) / Math.max(1, end - offset)}%`;
    byId("kept").style.left = share(first);
    byId("kept").style.right = `calc(100% - ${share(last)})`;
    const times = this.recording.times;
    this.start = times.length ? this.clip.time(times, first) : 0;
    this.stop = times.length ? this.clip.time(times, last) + 1 / this.clip.fps : 0;
    byId("trimmed").textContent = `${counted(last - first + 1, "frame")}, ${(this.stop - this.start).toFixed(2)} s`;
  }

  fillClasses(chosen) {
    const { classes } = this.gallery.facts;
    const news = this.corrections.newClasses();
    const options = [...classes, ...news].map((name) => new Option(name, name));
    if (this.clip.label === null) options.unshift(new Option(NONE, ""));
    byId("label").replaceChildren(...options, new Option("a new class …", NEW));
    byId("label").value = chosen ?? "";
    byId("new-field").hidden = true;
  }

  say(said) {
    this.corrections.change([this.clip], said);
    this.show(); // also where nothing has changed: the fields may hold what was refused
  }

  /** A class of the store, a new one, or none; case and spaces alone make no new class. */
  relabel(text) {
    const { label } = this.clip;
    const plain = (name) => name.trim().replace(/\s+/g, " ").toLowerCase();
    const names = [...this.gallery.facts.classes, ...this.corrections.newClasses()];
    const name = text && !names.includes(text)
      ? names.find((known) => plain(known) === plain(text)) ?? text : text;
    this.say({ label: name && name !== label ? { from: label, to: name } : null });
  }

  /** A trim, kept within what is shown; the end that was moved gives way. */
  trim(first, last, moved) {
    if (Number.isNaN(first + last)) return this.show(); // a field was emptied
    const { offset, end } = this.clip;
    const inside = (frame) => Math.min(end, Math.max(offset, Math.round(frame)));
    [first, last] = [inside(first), inside(last)];
    if (first > last) [first, last] = moved === "first" ? [last, last] : [first, first];
    this.say({ trim: this.clip.trim(this.recording.times, first, last) });
  }

  frame() {
    return this.clip.frame(this.recording.times, this.time);
  }

  seek(frame) {
    this.setPlaying(false);
    const { offset, end } = this.clip;
    this.time = this.clip.time(this.recording.times, Math.min(end, Math.max(offset, frame)));
    this.draw();
  }

  setPlaying(playing) {
    this.playing = playing;
    byId("editor-play").textContent = playing ? "❚❚" : "▶";
    byId("editor-play").setAttribute("aria-label", playing ? "Pause" : "Play");
    if (!playing) return;
    if (this.time < this.start || this.time >= this.stop - 1e-6) this.time = this.start;
    this.before = performance.now();
    requestAnimationFrame((now) => this.tick(now));
  }

  tick(now) {
    if (!this.playing || !this.dialog.open) return;
    this.time += (Math.min(250, Math.max(0, now - this.before)) / 1000) * this.gallery.speed;
    this.before = now;
    if (this.time >= this.stop || this.time < this.start) this.time = this.start;
    this.draw();
    requestAnimationFrame((next) => this.tick(next));
  }

  draw() {
    if (!this.recording?.times.length || !this.dialog.open) return;
    this.stage.draw(this.time);
    byId("scrub").value = this.frame();
    byId("clock").textContent = `frame ${this.frame()} of ${this.clip.total}`;
  }

  /** The next (1) or previous (-1) clip. */
  turn(way) {
    const cards = this.gallery.visible();
    const card = cards[cards.indexOf(this.card) + way];
    if (card) this.open(card);
  }

  close() {
    this.setPlaying(false);
    const { card } = this;
    this.card = this.recording = this.stage = null;
    this.gallery.filter();
    const lead = card.element.hidden ? this.gallery.current : card;
    lead?.element.focus();
    lead?.element.scrollIntoView({ block: "nearest" });
  }

  listen() {
    const on = (id, event, act) => byId(id).addEventListener(event, ({ target }) => this.recording && act(target));
    const number = (id) => byId(id).valueAsNumber;
    on("editor-play", "click", () => this.setPlaying(!this.playing));
    on("scrub", "input", (bar) => this.seek(Number(bar.value)));
    for (const [handle, end] of [["from", "first"], ["to", "last"]]) {
      on(handle, "input", () => this.drag(end));
      on(handle, "change", () => this.trim(number("from"), number("to"), end));
      on(end, "change", () => this.trim(number("first"), number("last"), end));
    }
    on("mark-first", "click", () => this.mark("first"));
    on("mark-last", "click", () => this.mark("last"));
    on("whole", "click", () => this.say({ trim: null }));
    on("label", "change", (choice) => this.choose(choice.value));
    on("new", "change", (field) => this.relabel(field.value.trim() || this.clip.label));
    on("note", "change", (field) => this.say({ note: field.value.trim() }));
    on("drop", "click", () => this.gallery.toggleDrop(this.card));
    on("editor-undo", "click", () => this.corrections.undo());
    on("previous", "click", () => this.turn(-1));
    on("next", "click", () => this.turn(1));
    byId("close").addEventListener("click", () => this.dialog.close());
    this.dialog.addEventListener("close", () => this.close());
    this.dialog.addEventListener("keydown", (event) => this.press(event));
    new ResizeObserver(() => this.stage && (this.stage.resize(), this.draw())).observe(byId("canvas"));
  }

  /** While a handle is moved the frame under it is shown. */
  drag(end) {
    let [first, last] = [Number(byId("from").value), Number(byId("to").value)];
    if (end === "first") first = Math.min(first, last);
    else last = Math.max(first, last);
    this.showRange(first, last);
    this.seek(end === "first" ? first : last);
  }

  /** The frame that is shown becomes the first or the last. */
  mark(end) {
    const [first, last] = this.range;
    if (end === "first") this.trim(this.frame(), Math.max(last, this.frame()), end);
    else this.trim(Math.min(first, this.frame()), this.frame(), end);
  }

  choose(name) {
    byId("new-field").hidden = name !== NEW;
    if (name !== NEW) return this.relabel(name);
    byId("new").value = "";
    byId("new").focus();
  }

  press(event) {
    if (!this.recording || event.altKey || event.ctrlKey || event.metaKey) return;
    const typing = event.target.closest("input:not([type=range]), select");
    const sliding = event.target.closest("input[type=range]");
    const key = event.key.toLowerCase();
    const acts = {
      i: () => this.mark("first"), o: () => this.mark("last"), d: () => this.gallery.toggleDrop(this.card),
      p: () => this.turn(-1), n: () => this.turn(1),
      " ": event.target.closest("button") ? null : () => this.setPlaying(!this.playing),
      arrowleft: sliding ? null : () => this.seek(this.frame() - this.clip.every),
      arrowright: sliding ? null : () => this.seek(this.frame() + this.clip.every),
    };
    if (typing || !acts[key]) return;
    event.preventDefault();
    acts[key]();
  }
}
