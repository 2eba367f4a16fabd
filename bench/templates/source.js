// Where episodes come from: the page itself, or the server that handed it out. Both answer the same questions.
// A query is {run, file, env, family, level, labels, text, sort, down}; an answer is {total, position, rows}.

const PAGE = 100;

const textsOf = (episode) => [
  episode.fault,
  episode.task,
  ...episode.turns.flatMap((turn) => [
    turn.observation,
    turn.pieces.map((piece) => piece[0]).join(""),
    turn.verdict ? turn.verdict.reason : "",
    ...turn.credits.map((credit) => credit[2]),
  ]),
];

function embedded() {
  const episodes = new Map(data.episodes.map((episode) => [episode.id, episode]));
  const trees = new Map(data.trees.flatMap((tree) => tree.leaves.map((leaf) => [leaf.id, tree])));
  const searched = new Map();
  const holds = (episode, words) => {
    if (!searched.has(episode)) searched.set(episode, textsOf(episode).map((text) => text.toLowerCase()));
    return searched.get(episode).some((text) => text.includes(words));
  };
  const fits = (episode, query) => {
    const [run, file] = episode.id.split(".");
    if (query.run !== "" && run !== query.run) return false;
    if (query.file !== "" && file !== query.file) return false;
    if (query.env && episode.env !== query.env) return false;
    if (query.family && episode.family !== query.family) return false;
    if (query.labels.length && !query.labels.includes(episode.label)) return false;
    if (query.level !== "") {
      const [low, high] = data.levels[query.level] || [2, 2];
      if (episode.level === null || episode.level < low || episode.level > high) return false;
    }
    return !query.text.trim() || holds(episode, query.text.trim().toLowerCase());
  };
  const sorted = (query) => {
    const found = data.episodes.filter((episode) => fits(episode, query));
    if (query.sort === "order") return query.down ? found.reverse() : found;
    const key = (episode) => {
      const value = episode[query.sort === "turns" ? "turnCount" : query.sort];
      return value === null ? Infinity : query.down ? -value : value;
    };
    return found.sort((a, b) => (key(a) === key(b) ? 0 : key(a) < key(b) ? -1 : 1));
  };
  let last = { key: "", found: [] };
  return {
    async find(query, offset, at) {
      const key = JSON.stringify(query);
      if (last.key !== key) last = { key, found: sorted(query) };
      const { found } = last;
      return {
        total: found.length,
        position: found.findIndex((episode) => episode.id === at),
        rows: found.slice(offset, offset + PAGE),
      };
    },
    async episode(id) {
      const episode = episodes.get(id);
      if (!episode) return null;
      const attempts = data.episodes.filter((other) => other.taskKey === episode.taskKey && other.env === episode.env);
      return { episode, attempts, tree: trees.get(id) || null };
    },
  };
}

function served() {
  const ask = async (path, parameters) => {
    const answer = await fetch(`${path}?${new URLSearchParams(parameters)}`);
    if (answer.status === 404) return null;
    const body = await answer.json();
    if (!answer.ok) throw new Error(body.error || `the server answered ${answer.status}`);
    return body;
  };
  return {
    async find(query, offset, at) {
      const parameters = [["offset", offset], ["limit", PAGE], ["at", at || ""]];
      for (const [key, value] of Object.entries(query)) {
        if (key === "labels") value.forEach((label) => parameters.push(["label", label]));
        else if (key === "level" && value !== "") parameters.push(["low", data.levels[value][0]], ["high", data.levels[value][1]]);
        else if (key === "down") parameters.push(["down", value ? "1" : ""]);
        else if (key !== "level") parameters.push([key, value]);
      }
      return ask("api/episodes", parameters);
    },
    episode: (id) => ask("api/episode", [["id", id]]),
  };
}

const source = data.served ? served() : embedded();
