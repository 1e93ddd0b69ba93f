// Unsaved work: kept by the browser where it allows that, saved and loaded as files.

/** The browser's place for the corrections of one store; pages of the same store share it. */
class Keeper {
  constructor({ fingerprint }) {
    this.name = `skelact review ${fingerprint}`;
    this.works = true;
  }

  read() {
    try {
      return localStorage.getItem(this.name);
    } catch {
      this.works = false;
      return null;
    }
  }

  keep(text) {
    try {
      if (text === null) localStorage.removeItem(this.name);
      else localStorage.setItem(this.name, text);
      this.works = true;
    } catch {
      this.works = false; // not allowed here, or full
    }
  }
}

function download(name, text) {
  const link = element("a", "", "", { download: name });
  link.href = URL.createObjectURL(new Blob([text], { type: "application/json" }));
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

/** Keeps, saves and loads `corrections`; calls `tell` with what there is to say. */
function connectStorage(corrections, tell) {
  const keeper = new Keeper(corrections.store);
  let saved = ""; // the text of the latest file
  const text = () => (corrections.entries.size ? corrections.toText() : null);
  const load = (content, source) => {
    try {
      const pairs = corrections.read(content);
      corrections.replace(pairs);
      tell(`${counted(pairs.length, "correction")} ${source}.`);
    } catch (error) {
      trouble(`The corrections ${source} cannot be used: ${error.message}.`);
    }
  };
  const kept = keeper.read();
  if (kept) load(kept, "of an earlier visit");
  corrections.past.length = 0;
  byId("save").addEventListener("click", () => {
    saved = text();
    download(`${corrections.store.name}_corrections.json`, saved);
  });
  byId("load").addEventListener("click", () => byId("file").click());
  byId("file").addEventListener("change", async ({ target }) => {
    byId("trouble").hidden = true;
    const [file] = target.files;
    if (file) load(await file.text(), `from ${file.name}`);
    target.value = ""; // the same file may be loaded again
  });
  window.addEventListener("storage", ({ key, newValue }) => {
    if (key !== keeper.name) return; // another page of this store
    const theirs = newValue ? new Map(corrections.read(newValue)) : new Map();
    const keys = new Set([...corrections.entries.keys(), ...theirs.keys()]);
    corrections.past.length = 0;
    corrections.put(Array.from(keys, (k) => [k, theirs.get(k)]));
  });
  window.addEventListener("beforeunload", (event) => {
    if (!keeper.works && corrections.entries.size && saved !== text()) event.preventDefault();
  });
  return () => {
    const now = text();
    if (keeper.read() !== now) keeper.keep(now);
    if (!keeper.works) tell("This browser keeps nothing of this page: save before you close it.");
  };
}
