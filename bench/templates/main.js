// What is open is written in the address, so that a link leads back to it: #overview, or #e=RUN.FILE.LINE with filters.

const DEFAULTS = { run: "", file: "", env: "", family: "", level: "", labels: [], text: "", sort: "order", down: false };
const SORTS = { order: "in the order of the file", reward: "by reward", turns: "by turns", tokens: "by tokens", level: "by level" };
let state = { view: "overview", id: "", query: { ...DEFAULTS } };

function readHash() {
  const hash = location.hash.slice(1);
  if (!hash || hash === "overview" || !data.total) return { view: "overview", id: "", query: state.query };
  const given = new URLSearchParams(hash);
  const query = { ...DEFAULTS, labels: given.getAll("label").filter((label) => data.labels.includes(label)) };
  for (const key of ["run", "file", "env", "family", "level", "text", "sort"]) if (given.has(key)) query[key] = given.get(key);
  if (!Object.hasOwn(SORTS, query.sort)) query.sort = "order";
  for (const key of ["run", "file"]) if (!/^\d{0,9}$/.test(query[key])) query[key] = "";
  if (!/^\d+$/.test(query.level) || !data.levels[query.level]) query.level = "";
  query.down = given.has("down");
  return { view: "episodes", id: given.get("e") || "", query };
}

/** The address of the present state with some of it changed. */
function hashFor({ id = state.id, query = state.query }) {
  const parameters = new URLSearchParams();
  if (id) parameters.set("e", id);
  for (const [key, value] of Object.entries(query)) {
    if (key === "labels") value.forEach((label) => parameters.append("label", label));
    else if (value !== DEFAULTS[key]) parameters.set(key, value === true ? "1" : value);
  }
  return `#${parameters.toString() || "episodes"}`;
}

const go = (changes) => (location.hash = hashFor(changes));

/** The same without a step in the browser's history: for typing, and for leafing through. */
function turnTo(changes) {
  history.replaceState(null, "", hashFor(changes));
  return render();
}
const closeEpisode = () => go({ id: "" });

async function render() {
  const before = state;
  state = readHash();
  const reading = state.view === "episodes";
  byId("overview").hidden = reading;
  byId("browser").hidden = !reading;
  document.body.classList.toggle("browsing", reading);
  document.body.classList.toggle("reading", reading && Boolean(state.id));
  for (const [id, here] of [["to-overview", !reading], ["to-episodes", reading]]) {
    if (byId(id)) here ? byId(id).setAttribute("aria-current", "page") : byId(id).removeAttribute("aria-current");
  }
  if (!reading) return;
  try {
    const changed = JSON.stringify(state.query) !== JSON.stringify(list.query);
    if (changed) {
      showFilters();
      await list.open(state.query, state.id);
    } else if (state.id !== before.id || before.view !== state.view) {
      const known = [...list.pages].flatMap(([page, rows]) => rows.map((row, n) => [row.id, page * PAGE + n])).find(([id]) => id === state.id);
      list.select(known ? known[1] : state.id ? (await source.find(state.query, 0, state.id)).position : list.selected);
    }
    tally();
    for (const link of document.querySelectorAll("#list a")) link.hash = hashFor({ id: new URLSearchParams(link.hash.slice(1)).get("e") });
    if (changed) highlight(byId("episode"), state.query.text.trim().toLowerCase());
    await openEpisode();
  } catch (error) {
    complain(error);
  }
}

let opened = "";
async function openEpisode() {
  const article = byId("episode");
  const place = list.selected >= 0 ? `${count(list.selected + 1)} of ${count(list.total)}` : "not among those filtered";
  if (!state.id) {
    opened = "";
    article.replaceChildren(make("p", { class: "hint" }, "Choose an episode, or press ", make("kbd", {}, "j"), "."));
    return;
  }
  if (opened === state.id) {
    article.querySelector(".place")?.replaceChildren(place);
    return;
  }
  const { id } = state;
  const found = await source.episode(id);
  if (id !== state.id) return;
  opened = id;
  turnAt = 0;
  byId("tip").hidden = true;
  article.replaceChildren(...(found ? showEpisode(found, place) : [toolbar(place), make("p", { class: "hint" }, data.served ? "There is no such episode." : "This page does not hold that episode: it shows a sample. `proofgym view --serve` shows all.")]));
  article.scrollTop = 0;
  highlight(article, state.query.text.trim().toLowerCase());
  article.querySelector(".sibling[aria-current]")?.scrollIntoView({ block: "nearest", inline: "nearest" });
  const leaf = article.querySelector(".leaf.on"), box = article.querySelector(".treebox");
  if (leaf && box) box.scrollTop = leaf.getBoundingClientRect().top - box.getBoundingClientRect().top - box.clientHeight / 2;
}

/** Mark what was searched for, without touching the text, where the browser can. */
function highlight(article, words) {
  if (!CSS.highlights) return;
  CSS.highlights.delete("searched");
  const ranges = [];
  const texts = document.createTreeWalker(article, NodeFilter.SHOW_TEXT);
  while (words && texts.nextNode() && ranges.length < 1000) {
    const text = texts.currentNode.data.toLowerCase();
    for (let at = text.indexOf(words); at >= 0 && text.length === texts.currentNode.length; at = text.indexOf(words, at + words.length)) {
      const range = new Range();
      range.setStart(texts.currentNode, at);
      range.setEnd(texts.currentNode, at + words.length);
      ranges.push(range);
    }
  }
  if (ranges.length) CSS.highlights.set("searched", new Highlight(...ranges));
}

async function move(by) {
  const to = Math.max(0, Math.min(list.total - 1, list.selected + by));
  const row = list.total ? await list.row(to) : null;
  if (row) (state.id ? turnTo : go)({ id: row.id });
}

function complain(error) {
  byId("tally").replaceChildren(make("span", { class: "warn" }, `Could not read the episodes: ${error.message}`));
}

// Filters ---------------------------------------------------------------------------------------------------------------

function buildFilters() {
  const counts = {};
  for (const file of data.files) for (const [label, n] of Object.entries(file.counts)) counts[label] = (counts[label] || 0) + n;
  for (const label of data.labels.filter((name) => counts[name])) {
    const button = make("button", { type: "button", class: `chip ${classOf(label)}`, "data-label": label, "aria-pressed": "false" }, label, make("span", { class: "n" }, count(counts[label])));
    button.addEventListener("click", () => {
      const { labels } = state.query;
      filter({ labels: labels.includes(label) ? labels.filter((other) => other !== label) : [...labels, label] });
    });
    byId("labels").append(button);
  }
  const choice = (key, name, options) => {
    if (options.length < 2) return;
    const select = make("select", { "data-key": key }, key === "sort" ? null : make("option", { value: "" }, "any"), options.map(([value, text]) => make("option", { value }, named(text))));
    select.addEventListener("change", () => filter({ [key]: select.value }));
    byId("selects").append(make("label", {}, name, select));
  };
  choice("run", "run", data.runs.map((run, n) => [n, run.name]));
  choice("file", "file", data.files.map((file, n) => [n, data.runs.length > 1 ? `${data.runs[file.run].name}: ${file.name}` : file.name]));
  choice("env", "environment", data.envs.map((name) => [name, name.replace("proofgym/", "")]));
  choice("family", "family", data.families.map((name) => [name, name]));
  choice("level", "level", data.levels.map((level, n) => [n, level[2]]));
  choice("sort", "sorted", Object.entries(SORTS));
  const down = make("input", { type: "checkbox", id: "down" });
  down.addEventListener("change", () => filter({ down: down.checked }));
  byId("selects").append(make("label", { class: "check" }, down, "the other way round"));
  const clear = make("button", { type: "button", id: "clear" }, "Clear");
  clear.addEventListener("click", () => go({ query: { ...DEFAULTS } }));
  byId("selects").append(clear);
  byId("more").addEventListener("click", () => toggleFilters());
  byId("filters").addEventListener("submit", (event) => event.preventDefault());
  let waiting = 0;
  byId("search").addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(() => turnTo({ query: { ...state.query, text: byId("search").value } }), data.served ? 250 : 80);
  });
}

const filter = (change) => go({ query: { ...state.query, ...change } });

function toggleFilters(open = byId("selects").hidden) {
  byId("selects").hidden = !open;
  byId("more").setAttribute("aria-expanded", String(open));
}

function showFilters() {
  if (document.activeElement !== byId("search")) byId("search").value = state.query.text;
  for (const button of document.querySelectorAll("#labels button")) button.setAttribute("aria-pressed", String(state.query.labels.includes(button.dataset.label)));
  let chosen = 0;
  for (const select of document.querySelectorAll("#selects select")) {
    select.value = state.query[select.dataset.key];
    chosen += select.dataset.key !== "sort" && select.value !== "";
  }
  byId("down").checked = state.query.down;
  byId("more").textContent = chosen ? `Filter (${chosen})` : "Filter";
}

function tally() {
  const held = data.served ? data.total : data.episodes.length;
  const broken = data.files.reduce((sum, file) => sum + file.broken, 0);
  byId("tally").replaceChildren(
    `${count(list.total)} of ${count(held)} episodes`,
    held < data.total ? make("span", { class: "sampled" }, ` · a sample of ${count(data.total)}; `, make("code", {}, "proofgym view --serve"), " shows all") : "",
    broken ? make("span", { class: "warn" }, ` · ${plural(broken, "unreadable line")}`) : "",
  );
}

// Keys, tips, light and dark ---------------------------------------------------------------------------------------------

const KEYS = {
  j: () => move(1), k: () => move(-1), n: () => goToTurn(turnAt + 1), p: () => goToTurn(turnAt - 1),
  "/": () => byId("search").focus(), f: () => toggleFilters(), o: () => (location.hash = "overview"),
  e: () => go({}), t: () => switchTheme(), "?": () => byId("help").showModal(), Escape: () => state.id && closeEpisode(),
};

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || byId("help").open) return;
  const typing = event.target.closest("input, select, textarea");
  if (typing) {
    if (event.key === "Escape") typing.blur();
    return;
  }
  const spoken = event.target.closest("mark, .node");
  if (spoken && (event.key === "Enter" || event.key === " ")) {
    event.preventDefault();
    spoken.scrollIntoView({ block: "nearest" });
    tipAt(spoken, spoken.getBoundingClientRect());
    return;
  }
  const only = ["j", "k", "n", "p", "/", "f"].includes(event.key);
  if (KEYS[event.key] && !(only && state.view === "overview")) {
    event.preventDefault();
    KEYS[event.key]();
  }
});

function tipAt(target, box) {
  const tip = byId("tip");
  tip.hidden = !target;
  if (!target) return;
  tip.textContent = target.dataset.note;
  const size = tip.getBoundingClientRect();
  tip.style.setProperty("left", `${Math.max(8, Math.min(box.left, innerWidth - size.width - 8))}px`);
  tip.style.setProperty("top", `${box.bottom + 8 + size.height > innerHeight ? Math.max(8, box.top - size.height - 8) : box.bottom + 8}px`);
}
const tipFor = (event) => {
  const target = event.target.closest ? event.target.closest("[data-note]") : null;
  const rects = target ? [...target.getClientRects()] : [];
  const near = rects.find((rect) => event.clientY >= rect.top && event.clientY <= rect.bottom) || rects[0];
  tipAt(target, near);
};
document.addEventListener("mouseover", tipFor);
document.addEventListener("click", tipFor);
document.addEventListener("focusin", (event) => {
  if (event.target.matches?.("[data-note]:focus-visible")) tipAt(event.target, event.target.getBoundingClientRect());
});
document.addEventListener("scroll", () => (byId("tip").hidden = true), true);

const stored = { get: () => { try { return localStorage.getItem("proofgym-theme"); } catch { return null; } }, set: (value) => { try { localStorage.setItem("proofgym-theme", value); } catch { /* a page on a disk may have no storage */ } } };
function switchTheme() {
  const root = document.documentElement;
  const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset.theme = dark ? "light" : "dark";
  stored.set(root.dataset.theme);
}
if (["light", "dark"].includes(stored.get())) document.documentElement.dataset.theme = stored.get();
byId("theme").addEventListener("click", switchTheme);
byId("help-button").addEventListener("click", () => byId("help").showModal());

let frame = 0;
byId("scroller").addEventListener("scroll", () => {
  cancelAnimationFrame(frame);
  frame = requestAnimationFrame(() => list.draw());
});
addEventListener("resize", () => list.draw());
addEventListener("hashchange", render);
if (data.total) buildFilters();
render();
