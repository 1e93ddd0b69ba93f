// All cards: which are shown, in which groups, which of them play, and moving among them.

const NONE = "no label";
const PICTURE = 1000 / 30; // milliseconds
const natural = new Intl.Collator("en", { numeric: true }).compare;

class Gallery {
  constructor(facts, corrections, edit) {
    this.facts = facts;
    this.corrections = corrections;
    this.edit = edit;
    const toggle = (card) => this.toggleDrop(card);
    this.cards = facts.clips.map((clip) => new Card(new Clip(clip, facts), facts.findings, toggle));
    this.cards.sort((a, b) => natural(a.clip.name, b.clip.name));
    this.byKey = new Map(this.cards.map((card) => [card.clip.key, card]));
    this.seen = new Set(); // cards near the window
    this.playing = "all";
    this.speed = 1;
    this.current = null; // the card that Tab leads to
    this.over = null; // the card under the pointer
    this.watch = new IntersectionObserver((entries) => this.see(entries), { rootMargin: "200px" });
    for (const card of this.cards) this.watch.observe(card.element);
    this.root = byId("clips");
    this.listen();
    this.before = performance.now();
    requestAnimationFrame((now) => this.tick(now));
  }

  see(entries) {
    for (const { target, isIntersecting } of entries) {
      if (isIntersecting) {
        this.seen.add(target.card);
        target.card.open().catch((error) => trouble(`A clip cannot be shown: ${error.message}.`));
      } else if (this.seen.delete(target.card)) target.card.close();
    }
  }

  tick(now) {
    requestAnimationFrame((next) => this.tick(next));
    if (now - this.before < PICTURE - 2 || document.querySelector("dialog[open]")) return;
    const seconds = (Math.min(250, now - this.before) / 1000) * this.speed;
    this.before = now;
    for (const card of this.seen) {
      if (!card.stage) continue;
      if (this.playing === "all" || card === this.over || card.element === document.activeElement) card.play(seconds);
      else card.rest();
    }
  }

  /** Puts the cards into the groups of a name. */
  arrange(by) {
    const groups = new Map();
    for (const card of this.cards) {
      const [name, order, place] = this.group(card.clip, by);
      if (!groups.has(name)) groups.set(name, { name, order, cards: [] });
      groups.get(name).cards.push([place, card]);
    }
    const sorted = [...groups.values()].sort((a, b) => a.order - b.order || natural(a.name, b.name));
    this.sections = sorted.map(({ name, cards }) => this.section(name, cards, by));
    this.root.replaceChildren(...this.sections.map(({ element: section }) => section));
    this.filter();
  }

  /** Name and order of the group of a clip, and its place in it. */
  group(clip, by) {
    if (by === "finding") {
      if (!clip.flags.length) return ["no finding", Infinity, 0];
      const [[finding, place]] = clip.flags;
      return [this.facts.findings[finding][1], finding, place];
    }
    if (by === "subject") return [`subject ${clip.facts.subject ?? "unknown"}`, 0, 0];
    if (by === "class") return [clip.label ?? NONE, clip.label === null ? Infinity : clip.place, 0];
    return ["", 0, 0];
  }

  section(name, placed, by) {
    const cards = placed.sort(([a], [b]) => a - b).map(([, card]) => card); // stable
    const head = element("h2", "", name);
    const count = element("span", "quiet");
    head.append(" ", count);
    const grid = element("div", "grid", "", { role: "group", "aria-label": name || "clips" });
    grid.append(...cards.map((card) => card.element));
    const made = element("section", "group");
    made.append(...(name ? [head] : []), grid);
    return { name, cards, element: made, count, total: by === "class" ? this.total(name) : cards.length };
  }

  total(name) {
    const place = this.facts.classes.indexOf(name);
    return this.facts.totals[place < 0 ? this.facts.totals.length - 1 : place];
  }

  /** Shows the cards that are chosen. */
  filter() {
    const show = byId("show").value;
    const class_ = byId("class").value;
    const words = byId("find").value.toLowerCase().trim();
    const fits = (card) => this.fits(card, show) && (!class_ || (card.clip.label ?? NONE) === class_)
      && (!words || card.clip.says(words));
    let shown = 0;
    for (const { cards, element: section, count, total } of this.sections) {
      let some = 0;
      for (const card of cards) {
        const hidden = !fits(card);
        if (card.element.hidden !== hidden) card.element.hidden = hidden;
        if (!hidden) some++;
      }
      section.hidden = some === 0;
      const all = counted(total, this.facts.unit);
      count.textContent = some < total ? `${some.toLocaleString("en")} of ${all}` : all;
      shown += some;
    }
    byId("nothing").hidden = shown > 0;
    byId("drop-shown").hidden = shown === 0 || shown === this.cards.length;
    byId("drop-shown").textContent = `Drop the ${shown.toLocaleString("en")} shown`;
    if (!this.current || this.current.element.hidden) this.lead(this.visible()[0]);
  }

  fits(card, show) {
    if (show === "flagged") return card.clip.flags.length > 0;
    if (show === "corrected") return this.corrections.entries.has(card.clip.key);
    if (show === "dropped") return Boolean(card.said.drop);
    if (show.startsWith("finding")) return card.clip.flags.some(([place]) => place === Number(show.slice(7)));
    return true;
  }

  /** In the order of the page. */
  visible() {
    return this.sections.flatMap(({ cards }) => cards.filter((card) => !card.element.hidden));
  }

  /** Tab leads to this card, and to no other. */
  lead(card) {
    this.current?.element.setAttribute("tabindex", "-1");
    this.current = card ?? null;
    card?.element.setAttribute("tabindex", "0");
  }

  toggleDrop(card) {
    this.corrections.change([card.clip], { drop: !card.said.drop });
  }

  listen() {
    const { root } = this;
    byId("drop-shown").addEventListener("click", () =>
      this.corrections.change(this.visible().map(({ clip }) => clip), { drop: true }));
    const at = (event) => event.target.closest?.(".card")?.card;
    root.addEventListener("click", (event) => at(event) && this.edit(at(event)));
    root.addEventListener("pointerover", (event) => (this.over = at(event) ?? null));
    root.addEventListener("pointerleave", () => (this.over = null));
    root.addEventListener("focusin", (event) => at(event) && this.lead(at(event)));
    root.addEventListener("keydown", (event) => {
      const card = at(event);
      if (!card || event.ctrlKey || event.metaKey || event.altKey) return;
      if (event.key === "Enter") this.edit(card);
      else if (event.key.toLowerCase() === "d") this.toggleDrop(card);
      else if (!this.move(card, event.key)) return;
      event.preventDefault();
    });
  }

  /** To the next card in the direction of an arrow key; false for other keys. */
  move(card, key) {
    const cards = this.visible();
    const at = cards.indexOf(card);
    const aside = { ArrowLeft: -1, ArrowRight: 1 }[key];
    const down = { ArrowUp: -1, ArrowDown: 1 }[key];
    if (aside) cards[at + aside]?.element.focus();
    else if (down) this.below(cards, at, down)?.element.focus();
    else return false;
    return true;
  }

  /** The card of the next row that is nearest above or below. */
  below(cards, at, way) {
    const box = (card) => card.element.getBoundingClientRect();
    const here = box(cards[at]);
    let row = null;
    let best = null;
    for (let i = at + way; cards[i]; i += way) {
      const { top, left } = box(cards[i]);
      if ((top - here.top) * way < 2) continue;
      row ??= top;
      if (Math.abs(top - row) > 2) break;
      const off = Math.abs(left - here.left);
      if (!best || off < best.off) best = { off, card: cards[i] };
    }
    return best?.card;
  }
}
