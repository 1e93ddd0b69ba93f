// What the reviewer says of clips, in the form of the file; every change can be undone.

const FORMAT = "skelact corrections";
const VERSION = 1;
const SAID = ["label", "drop", "trim", "note"];

/** The entries of the file by clip and part; `changed(keys)` is called after every change. */
class Corrections {
  constructor({ store, classes }, changed) {
    this.store = store;
    this.classes = classes;
    this.changed = changed;
    this.entries = new Map();
    this.past = []; // lists of [key, entry before]
  }

  static key(clip, part = null) {
    return JSON.stringify([clip, part]);
  }

  get(key) {
    return this.entries.get(key) ?? {};
  }

  /** Sets what is said of clips, in one step; null, false and "" say nothing. */
  change(clips, said) {
    this.replace(clips.map(({ key, id, part }) => {
      const entry = { clip: id, ...(part !== null && { part }) };
      const all = { ...this.get(key), ...said };
      for (const name of SAID) if (all[name]) entry[name] = all[name];
      return [key, SAID.some((name) => entry[name]) ? entry : undefined];
    }));
  }

  /** Entries in place of those that are there; undefined for none. */
  replace(pairs) {
    const different = pairs.filter(([key, entry]) =>
      JSON.stringify(entry) !== JSON.stringify(this.entries.get(key)));
    if (!different.length) return;
    this.past.push(different.map(([key]) => [key, this.entries.get(key)]));
    this.put(different);
  }

  put(pairs) {
    for (const [key, entry] of pairs) {
      if (entry) this.entries.set(key, entry);
      else this.entries.delete(key);
    }
    this.changed(pairs.map(([key]) => key));
  }

  undo() {
    const before = this.past.pop();
    if (before) this.put(before);
    return before;
  }

  clear() {
    this.replace(Array.from(this.entries.keys(), (key) => [key, undefined]));
  }

  /** The classes that no clip of the store has yet. */
  newClasses() {
    const named = Array.from(this.entries.values(), (entry) => entry.label?.to);
    return [...new Set(named.filter((name) => name && !this.classes.includes(name)))].sort();
  }

  toText() {
    const { store } = this;
    const clips = [...this.entries.entries()].sort(([a], [b]) => (a < b ? -1 : 1));
    return JSON.stringify({
      format: FORMAT, version: VERSION, store, new_classes: this.newClasses(),
      clips: clips.map(([, entry]) => entry),
    }, null, 1) + "\n";
  }

  /** Pairs (key, entry) of a file. */
  read(text) {
    const content = JSON.parse(text);
    if (content?.format !== FORMAT) throw new Error("it is no file of corrections");
    if (content.version !== VERSION) throw new Error(`it is of version ${content.version}, not ${VERSION}`);
    if (content.store?.fingerprint !== this.store.fingerprint) {
      throw new Error(`its corrections are of another store, ${content.store?.name ?? "without a name"}`);
    }
    if (!Array.isArray(content.clips)) throw new Error("it has no list of clips");
    const odd = content.clips.find((entry) => typeof entry?.clip !== "string");
    if (odd) throw new Error(`an entry names no clip: ${JSON.stringify(odd)}`);
    return content.clips.map((entry) => [Corrections.key(entry.clip, entry.part), entry]);
  }
}
