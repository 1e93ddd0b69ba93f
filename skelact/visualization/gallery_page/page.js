// Puts the page together.

function counted(number, what) {
  return `${number.toLocaleString("en")} ${what}${number === 1 ? "" : "s"}`;
}

function fillChoices(facts, gallery) {
  const add = (id, pairs) => byId(id).append(...pairs.map(([text, value]) => new Option(text, value)));
  const { cards } = gallery;
  const flagged = cards.filter(({ clip }) => clip.flags.length).length;
  const counts = facts.findings.map((_, i) => cards.filter(({ clip }) => clip.flags.some(([place]) => place === i)).length);
  const findings = facts.findings.map(([, check], i) => [`${check} (${counts[i]})`, `finding${i}`]).filter((_, i) => counts[i]);
  add("show", [[`all (${cards.length})`, "all"], [`flagged only (${flagged})`, "flagged"], ...findings,
    ["corrected", "corrected"], ["dropped", "dropped"]]);
  const names = facts.classes.filter((_, i) => cards.some(({ clip }) => clip.place === i));
  if (cards.some(({ clip }) => clip.label === null)) names.push(NONE);
  add("class", [["all", ""], ...names.map((name) => [name, name])]);
  const subjects = cards.some(({ clip }) => clip.facts.subject !== undefined);
  add("group", [["class", "class"], ...(flagged ? [["finding", "finding"]] : []),
    ...(subjects ? [["subject", "subject"]] : []), ["nothing: by id", ""]]);
}

function listFindings(facts, gallery) {
  const box = byId("findings");
  const { findings } = facts;
  const of = (i) => gallery.cards.filter(({ clip }) => clip.flags.some(([place]) => place === i)).length;
  const list = element("ul", "");
  findings.forEach(([severity, check, message], i) => {
    const line = element("li", "");
    const count = of(i);
    line.append(element("span", `flag ${severity}`, check), ` ${message} `);
    if (count) {
      const only = element("button", "only", `show ${count === 1 ? "it" : `the ${count} here`}`, { type: "button" });
      only.addEventListener("click", () => ((byId("show").value = `finding${i}`), gallery.filter()));
      line.append(only);
    }
    list.append(line);
  });
  const title = findings.length ? `${counted(findings.length, "finding")} of skelact data validate`
    : "skelact data validate found nothing wrong";
  if (!findings.length) return box.replaceWith(element("p", "quiet", `${title}.`));
  box.append(element("summary", "", title), list);
}

function listenToBar(gallery, corrections) {
  for (const [id, event] of [["show", "change"], ["class", "change"], ["find", "input"]]) {
    byId(id).addEventListener(event, () => gallery.filter());
  }
  byId("group").addEventListener("change", ({ target }) => gallery.arrange(target.value));
  byId("play").addEventListener("change", ({ target }) => (gallery.playing = target.value));
  byId("speed").addEventListener("change", ({ target }) => (gallery.speed = Number(target.value)));
  byId("undo").addEventListener("click", () => corrections.undo());
  byId("clear").addEventListener("click", () => corrections.clear());
  byId("keys").addEventListener("click", () => byId("help").showModal());
  document.addEventListener("keydown", (event) => {
    const typing = event.target.closest?.("input:not([type=range]), select");
    if (typing) return;
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "z") {
      event.preventDefault();
      corrections.undo();
    } else if (event.key === "?" && !document.querySelector("dialog[open]")) byId("help").showModal();
  });
}

/** How many corrections there are, and what can be done with them. */
function showState(gallery, corrections) {
  const { size } = corrections.entries;
  const elsewhere = [...corrections.entries.keys()].filter((key) => !gallery.byKey.has(key)).length;
  const away = elsewhere ? `, ${elsewhere} of clips not on this page` : "";
  byId("count").textContent = size ? `${counted(size, "correction")}${away}` : "no corrections";
  byId("save").disabled = byId("clear").disabled = !size;
  byId("undo").disabled = !corrections.past.length;
}

function openPage() {
  const facts = JSON.parse(byId("facts").textContent);
  let keep = () => {};
  const tell = (message) => {
    byId("restored").textContent = message;
    byId("restored").hidden = false;
  };
  const corrections = new Corrections(facts, (keys) => {
    for (const key of keys) gallery.byKey.get(key)?.show(corrections.get(key));
    if (editor.card) editor.show();
    showState(gallery, corrections);
    keep();
  });
  const gallery = new Gallery(facts, corrections, (card) => editor.open(card));
  const editor = new Editor(gallery, corrections);
  fillChoices(facts, gallery);
  listFindings(facts, gallery);
  if (matchMedia("(prefers-reduced-motion: reduce)").matches) gallery.playing = byId("play").value = "one";
  listenToBar(gallery, corrections);
  gallery.arrange(byId("group").value);
  keep = connectStorage(corrections, tell);
  showState(gallery, corrections);
  window.skelact = { gallery, corrections, editor }; // for tests, and for who wants to drive the page
}

try {
  openPage();
} catch (error) {
  trouble(`This page does not open here: ${error.message}. It needs Chromium 97, Firefox 113, `
    + "Safari 16.4 or a later one.");
  throw error;
}
