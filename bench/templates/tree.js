// The tree of branched attempts: every node with its value, every leaf a link to its episode.

const COLUMN = 118, ROW = 26;

function drawTree(tree, current) {
  const deepest = Math.max(...tree.nodes.map((node) => node.depth));
  const rows = tree.leaves.length;
  const column = Math.max(56, Math.min(COLUMN, 1400 / (deepest + 1)));
  const width = (deepest + 1) * column + 150;
  const height = rows * ROW + 16;
  const x = (node) => 12 + node.depth * column;
  const y = (row) => 20 + row * ROW;
  const values = tree.nodes.map((node) => node.value).filter((value) => value !== null);
  const least = Math.min(...values), most = Math.max(...values);
  const share = (value) => (value === null || most === least ? 0.5 : (value - least) / (most - least));

  const chosen = tree.leaves.find((leaf) => leaf.id === current);
  const path = new Set();
  for (let at = chosen ? chosen.node : -1; at >= 0; at = tree.nodes[at].parent) path.add(at);

  const svg = drawn("svg", { viewBox: `0 0 ${width} ${height}`, width, height, class: "tree", role: "group" });
  svg.setAttribute("aria-label", `tree of ${plural(rows, "attempt")}, ${plural(tree.nodes.length, "node")}`);
  tree.nodes.forEach((node, number) => {
    if (node.parent < 0) return;
    const from = tree.nodes[node.parent];
    const middle = (x(from) + x(node)) / 2;
    svg.append(drawn("path", {
      class: path.has(number) ? "edge on" : "edge",
      d: `M${x(from)} ${y(from.row)} C${middle} ${y(from.row)} ${middle} ${y(node.row)} ${x(node)} ${y(node.row)}`,
    }));
  });
  for (const leaf of tree.leaves) {
    const node = tree.nodes[leaf.node];
    const right = (deepest + 1) * column - 6;
    svg.append(drawn("path", { class: leaf === chosen ? "edge on" : "edge thin", d: `M${x(node)} ${y(node.row)} L${right} ${y(leaf.row)}` }));
    const link = drawn("a", { class: leaf === chosen ? "leaf on" : "leaf" });
    link.setAttribute("href", hashFor({ id: leaf.id }));
    link.setAttribute("aria-label", `attempt ${leaf.sample + 1}: ${leaf.label}, reward ${num(leaf.reward)}`);
    if (leaf === chosen) link.setAttribute("aria-current", "true");
    link.append(
      drawn("rect", { x: right, y: y(leaf.row) - 10, width: 132, height: 20, rx: 10 }),
      drawn("circle", { class: classOf(leaf.label), cx: right + 12, cy: y(leaf.row), r: 4.5 }),
      drawn("text", { x: right + 23, y: y(leaf.row) + 4 }, `#${leaf.sample + 1}  ${num(leaf.reward)}`),
    );
    svg.append(link);
  }
  tree.nodes.forEach((node, number) => {
    const text = number ? node.text : "the task";
    const group = drawn("g", { class: path.has(number) ? "node on" : "node" });
    const note = `value ${num(node.value, 3)} · mean over ${plural(node.leaves, "attempt")}` + (number ? ` · turn ${node.turn + 1}\n${named(text)}` : `\n${text}`);
    group.dataset.note = note;
    group.setAttribute("tabindex", "0");
    group.setAttribute("role", "img");
    group.setAttribute("aria-label", note);
    const circle = drawn("circle", { cx: x(node), cy: y(node.row), r: 5 + 4 * Math.sqrt(node.leaves / rows) });
    circle.style.setProperty("--v", share(node.value).toFixed(3));
    group.append(circle);
    if (node.leaves > 1 || path.has(number)) group.append(drawn("text", { x: x(node) + 4, y: y(node.row) - 11 }, num(node.value)));
    svg.append(group);
  });
  return make("div", { class: "scroll treebox", tabindex: "0", role: "region", "aria-label": "search tree" }, svg);
}
