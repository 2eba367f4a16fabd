// One episode on the right: what was judged and why, its siblings, and every turn with its credits.

function showEpisode({ episode, attempts, tree }, place) {
  const unjudged = episode.label === "unjudged";
  const verdict = episode.verdict;
  const title = make("h1", { class: "task" }, visible(episode.task || `${episode.env.replace("proofgym/", "")} ${episode.index}`));
  return [
    toolbar(place),
    make("div", { class: "head" }, title, facts(episode)),
    make(
      "section",
      { class: `verdict ${classOf(episode.label)}`, "aria-label": "verdict" },
      make("div", { class: "line" }, chip(episode.label), make("strong", {}, unjudged ? "no score" : `reward ${num(episode.reward, 3)}`),
        verdict && !unjudged ? make("span", { class: "soft" }, `verdict ${verdict.status}, score ${num(verdict.score, 3)}`) : null),
      reasonOf(episode, verdict),
      verdict ? partsOf(verdict.parts) : null,
    ),
    attempts.length > 1 ? siblings(episode, attempts) : null,
    tree ? make("details", { class: "block", open: true }, make("summary", {}, `Search tree: ${plural(tree.leaves.length, "attempt")}, ${plural(tree.nodes.length, "node")}`), drawTree(tree, episode.id),
      make("p", { class: "note" }, "A node is a stretch of tokens that its attempts share; its value is the mean reward of those judged. Press a leaf to open its episode.")) : null,
    episode.allTurns > 1 ? strip(episode) : null,
    make("div", { class: "turns" }, episode.turns.map((turn, number) => turnOf(turn, number, episode))),
    episode.allTurns > episode.turns.length ? make("p", { class: "note" }, `${plural(episode.allTurns - episode.turns.length, "more turn")} not shown here`) : null,
    make("p", { class: "ending note" }, ENDS[episode.end]),
  ].filter(Boolean);
}

const ENDS = {
  terminated: "The task was finished, for better or worse (terminated).",
  truncated: "The episode was stopped before the task was finished (truncated).",
  unjudged: "The episode was left unjudged.",
};

function toolbar(place) {
  const copy = make("button", { type: "button", class: "copy" }, "Copy link");
  copy.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(location.href);
      copy.textContent = "Copied";
    } catch {
      copy.textContent = "It is in the address bar";
    }
    setTimeout(() => (copy.textContent = "Copy link"), 1600);
  });
  const step = (by, text, name) => {
    const button = make("button", { type: "button", "aria-label": `${name} episode`, title: `${name} (${by > 0 ? "j" : "k"})` }, text);
    button.addEventListener("click", () => move(by));
    return button;
  };
  const back = make("button", { type: "button", class: "back" }, "← List");
  back.addEventListener("click", closeEpisode);
  return make("div", { class: "toolbar" }, back, step(-1, "↑", "previous"), step(1, "↓", "next"), make("span", { class: "soft place" }, place), copy);
}

function facts(episode) {
  const [run] = episode.id.split(".");
  const known = [
    data.runs.length > 1 ? ["run", data.runs[run].name] : null,
    ["environment", episode.env.replace("proofgym/", "")],
    episode.family ? ["family", episode.family] : null,
    episode.level === null ? null : ["level", num(episode.level)],
    ["seed", episode.seed], ["item", episode.index], ["attempt", String(episode.sample + 1)],
    episode.split ? ["split", episode.split] : null,
    episode.tokens ? ["tokens", count(episode.tokens)] : null,
    episode.source === "policy" ? null : ["written by", episode.source],
  ].filter(Boolean);
  return make("p", { class: "meta" }, known.map(([key, value]) => make("span", {}, `${key} `, make("b", {}, visible(String(value))))));
}

function reasonOf(episode, verdict) {
  const text = episode.label === "unjudged" ? episode.fault || "Nobody could judge it." : verdict ? verdict.reason : "No turn was judged.";
  const said = text ? make("p", { class: "reason" }, visible(text)) : null;
  return episode.label === "unjudged" ? [said, make("p", { class: "note" }, "An unjudged episode has no score and is in no mean.")] : said;
}

/** Named parts of a verdict: tests passed, limits met, steps right. Shares are drawn. */
function partsOf(parts) {
  const names = Object.entries(parts);
  if (!names.length) return null;
  return make("dl", { class: "parts" }, names.map(([name, value]) => {
    const bar = make("span", { class: "meter", "aria-hidden": "true" }, make("i"));
    bar.firstChild.style.setProperty("width", `${100 * Math.max(0, Math.min(1, value))}%`);
    return make("div", {}, make("dt", {}, visible(name)), make("dd", {}, value >= 0 && value <= 1 ? bar : null, make("b", {}, String(Number(value.toPrecision(4))))));
  }));
}

function siblings(episode, attempts) {
  const files = new Set(attempts.map((other) => other.id.split(".")[1]));
  const links = attempts.map((other) => {
    const [run, file] = other.id.split(".");
    const whence = [data.runs.length > 1 ? data.runs[run].name : "", files.size > 1 && data.runs.length === 1 ? data.files[file].name : ""].filter(Boolean).join(" ");
    const link = make("a", { href: hashFor({ id: other.id }), class: "sibling", "aria-current": other.id === episode.id ? "true" : null },
      make("i", { class: `light ${classOf(other.label)}`, "aria-hidden": "true" }),
      visible(`${whence} #${other.sample + 1}`.trim()),
      make("b", {}, num(other.reward)), make("span", { class: "hush" }, other.label));
    return link;
  });
  return make("nav", { class: "siblings", "aria-label": "attempts at this task" }, make("span", { class: "soft" }, `${plural(attempts.length, "attempt")} at this task`), links);
}

/** What every turn earned, as bars to press. */
function strip(episode) {
  const shown = episode.rewards.slice(0, episode.turns.length);
  const most = Math.max(...shown.map(Math.abs), 1e-9);
  const bars = shown.map((reward, number) => {
    const bar = make("button", { type: "button", class: reward > 0 ? "good" : reward < 0 ? "bad" : "zero", "aria-label": `turn ${number + 1}: ${num(reward, 3, true)}`, title: `turn ${number + 1}: ${num(reward, 3, true)}` }, make("i"));
    bar.firstChild.style.setProperty("height", `${3 + 17 * (Math.abs(reward) / most)}px`);
    bar.addEventListener("click", () => goToTurn(number));
    return bar;
  });
  return make("div", { class: "strip", role: "group", "aria-label": "reward of each turn" }, bars);
}

function turnOf(turn, number, episode) {
  const last = number === episode.turns.length - 1;
  const said = make("div", { class: "text", tabindex: "-1" }, turn.pieces.length ? turn.pieces.map((piece) => pieceOf(piece, turn.credits)) : make("span", { class: "empty" }, "nothing"));
  const terms = Object.entries(turn.terms);
  const small = [
    turn.tokens ? plural(turn.tokens, "token") : null,
    turn.perplexity ? `perplexity ${num(turn.perplexity)}` : null,
    turn.version ? `policy version ${turn.version}` : null,
  ].filter(Boolean).join(" · ");
  return make("section", { class: "turn", "aria-label": `turn ${number + 1}` },
    make("div", { class: "say env" }, make("div", { class: "who" }, number ? "environment" : "task"),
      make("div", { class: "text" }, turn.observation ? visible(turn.observation) : make("span", { class: "empty" }, "nothing")), more(turn.observationMore, "character")),
    make("div", { class: "say policy" },
      make("div", { class: "who" }, `policy · turn ${number + 1}`, make("span", { class: "pay" },
        make("b", { class: turn.reward > 0 ? "up" : turn.reward < 0 ? "down" : "" }, episode.label === "unjudged" && last ? "no score" : num(turn.reward, 3, true)),
        terms.length > 1 ? terms.map(([label, value]) => make("span", {}, visible(label), ` ${short(value)}`)) : null)),
      said, more(turn.actionMore, "character"), turn.cut ? make("p", { class: "note warn" }, "cut at the token limit") : null,
      turn.tool_calls ? make("details", {}, make("summary", {}, "tool calls"), make("pre", { tabindex: "0" }, visible(turn.tool_calls))) : null,
      turn.usage ? make("p", { class: "note" }, "usage ", visible(turn.usage.replace(/\s+/g, " "))) : null,
      small ? make("p", { class: "note" }, small) : null,
      turn.credits.length ? creditTable(turn, said) : null,
      turn.verdict && !last ? make("p", { class: "note" }, chip(turn.verdict.status === "correct" ? "solved" : turn.verdict.status), " ", visible(turn.verdict.reason)) : null));
}

const more = (n, word) => (n ? make("p", { class: "note" }, plural(n, `more ${word}`)) : null);

function pieceOf([text, kind, strength, covers], credits) {
  if (!kind) return visible(text);
  const mark = make("mark", { class: text ? kind : `${kind} place`, tabindex: "0", role: "button" }, visible(text));
  mark.style.setProperty("--a", strength);
  mark.dataset.credits = covers.join(" ");
  const note = covers.map((n) => credits[n]).map(([value, label, reason]) => `${short(value)}  ${named(label)}${reason ? `\n${named(reason)}` : ""}`).join("\n\n");
  mark.dataset.note = note;
  mark.setAttribute("aria-label", `${named(text)}: ${note}`);
  return mark;
}

/** The credits of a turn as a list; each lights up its span. */
function creditTable(turn, said) {
  const list = make("ol", {}, turn.credits.map(([value, label, reason], number) => {
    const button = make("button", { type: "button" }, make("b", { class: value > 0 ? "up" : value < 0 ? "down" : "" }, short(value)), make("span", {}, visible(label)), make("span", { class: "soft" }, visible(reason)));
    button.addEventListener("click", () => {
      for (const mark of said.querySelectorAll("mark")) mark.classList.toggle("lit", mark.dataset.credits.split(" ").includes(String(number)));
      const lit = said.querySelector("mark.lit");
      if (lit) lit.scrollIntoView({ block: "nearest" });
    });
    return make("li", {}, button);
  }));
  return make("details", { class: "credits" }, make("summary", {}, plural(turn.credits.length + (turn.creditsMore || 0), "credit")), list, more(turn.creditsMore, "credit"));
}

let turnAt = 0;
function goToTurn(number) {
  const turns = [...document.querySelectorAll("#episode .turn")];
  if (!turns.length) return;
  turnAt = Math.max(0, Math.min(turns.length - 1, number));
  turns[turnAt].scrollIntoView({ block: "start" });
}
