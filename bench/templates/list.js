// The list on the left: only the rows in sight exist, and only pages that were scrolled to are fetched.

const ROW_HEIGHT = 66, AROUND = 8, TALLEST = 15_000_000;

const list = {
  query: null, total: 0, selected: -1, pages: new Map(), nodes: new Map(), asked: new Set(), turn: 0,

  /** Ask a new query and show its beginning, or the place of the episode that is open. */
  async open(query, at) {
    const turn = ++this.turn;
    byId("scroller").setAttribute("aria-busy", "true");
    if (query.text) byId("tally").replaceChildren("Searching…");
    const answer = await source.find(query, 0, at);
    if (turn !== this.turn) return;
    Object.assign(this, { query, total: answer.total, pages: new Map([[0, answer.rows]]), asked: new Set([0]) });
    byId("list").replaceChildren();
    this.nodes.clear();
    byId("list").style.setProperty("height", `${Math.min(TALLEST, this.total * ROW_HEIGHT)}px`);
    byId("scroller").removeAttribute("aria-busy");
    this.select(answer.position, true);
  },

  select(position, centre = false) {
    this.selected = position;
    const scroller = byId("scroller");
    const top = position * ROW_HEIGHT;
    const outside = top < scroller.scrollTop || top + ROW_HEIGHT > scroller.scrollTop + scroller.clientHeight;
    if (position < 0) scroller.scrollTop = 0;
    else if (outside) scroller.scrollTop = centre ? top - scroller.clientHeight / 2 : top - scroller.clientHeight / 2;
    for (const [number, node] of this.nodes) mark(node, number === position);
    this.draw();
  },

  async row(number) {
    const page = Math.floor(number / PAGE);
    if (!this.pages.has(page)) this.pages.set(page, (await source.find(this.query, page * PAGE, "")).rows);
    return this.pages.get(page)[number % PAGE] || null;
  },

  draw() {
    const scroller = byId("scroller");
    const first = Math.max(0, Math.floor(scroller.scrollTop / ROW_HEIGHT) - AROUND);
    const end = Math.min(this.total, Math.ceil((scroller.scrollTop + scroller.clientHeight) / ROW_HEIGHT) + AROUND);
    for (const [number, node] of this.nodes) {
      if (number >= first && number < end) continue;
      node.remove();
      this.nodes.delete(number);
    }
    for (let number = first; number < end; number++) {
      if (this.nodes.has(number)) continue;
      const page = this.pages.get(Math.floor(number / PAGE));
      if (!page) {
        this.fetch(Math.floor(number / PAGE));
        continue;
      }
      if (page[number % PAGE]) this.put(number, page[number % PAGE]);
    }
  },

  async fetch(page) {
    if (this.asked.has(page)) return;
    this.asked.add(page);
    const { turn } = this;
    try {
      const { rows } = await source.find(this.query, page * PAGE, "");
      if (turn !== this.turn) return;
      this.pages.set(page, rows);
      this.draw();
    } catch (error) {
      this.asked.delete(page);
      complain(error);
    }
  },

  /** Rows stay in the order of the list in the document too, for whoever reads it by ear or by Tab. */
  put(number, row) {
    const item = rowOf(row, number, this.total);
    mark(item, number === this.selected);
    const following = [...this.nodes.keys()].filter((other) => other > number).sort((a, b) => a - b)[0];
    byId("list").insertBefore(item, following === undefined ? null : this.nodes.get(following));
    this.nodes.set(number, item);
  },
};

const mark = (item, on) => (on ? item.firstChild.setAttribute("aria-current", "true") : item.firstChild.removeAttribute("aria-current"));

function rowOf(row, number, total) {
  const [run] = row.id.split(".");
  const about = [data.runs.length > 1 ? data.runs[run].name : null, row.env.replace("proofgym/", ""), row.level === null ? null : `level ${num(row.level)}`, plural(row.turnCount, "turn")];
  const link = make("a", { href: hashFor({ id: row.id }) },
    make("span", { class: "first" }, chip(row.label), make("b", {}, num(row.reward)), make("span", { class: "soft" }, visible(about.filter(Boolean).join(" · ")))),
    make("span", { class: "gist" }, row.gist ? visible(row.gist) : make("span", { class: "empty" }, "no turns")));
  const item = make("li", { "aria-posinset": number + 1, "aria-setsize": total }, link);
  item.style.setProperty("top", `${number * ROW_HEIGHT}px`);
  return item;
}
