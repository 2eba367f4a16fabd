"""A search tree as a picture: one self-contained SVG, for a report or a page."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from proofgym.envs.prover.search import Found, Node

__all__ = ["picture"]

_ROW, _COLUMN, _WIDTH, _HEIGHT = 30, 190, 170, 22
_COLOURS = {"proof": "#2e7d32", "open": "#546e7a", "closed": "#b0bec5", "failed": "#c62828"}


def picture(found: Found, *, title: str = "", most: int = 300) -> str:
    """Draw a tree from left to right: the path of the proof in green, failures in red, the rest in grey.

    Each node shows its tactic and, under the pointer, its goals or its error.

    Args:
        found: What `search` returned.
        most: Nodes to draw; the path of the proof is always among them.

    >>> from proofgym.verifiers.proof import ProofTask, backend
    >>> from proofgym.envs.prover.policies import enumerate_toy
    >>> from proofgym.envs.prover.search import search
    >>> picture(search(backend("toy"), ProofTask("t", "p -> p"), enumerate_toy)).startswith("<svg")
    True
    """
    path = _path(found.nodes)
    shown = sorted(path | set(range(min(most, len(found.nodes)))))
    children: dict[int, list[int]] = {}
    for index in shown:
        if found.nodes[index].parent in shown:
            children.setdefault(found.nodes[index].parent, []).append(index)
    rows: dict[int, float] = {}
    _place(children, rows)
    deepest = max(found.nodes[index].depth for index in shown)
    width, height = (deepest + 1) * _COLUMN + 20, int((max(rows.values()) + 1) * _ROW) + 40
    frame = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        'font-family="ui-monospace, monospace" font-size="11" role="img">'
    )
    said = title or f"{found.why}: {found.expansions} expansions, {found.steps} tactics, {len(found.nodes)} nodes"
    parts = [frame, f'<text x="10" y="18" font-weight="bold">{escape(said)}</text>']
    for parent, below in children.items():
        parts += [_edge(found.nodes, rows, parent, child, child in path) for child in below]
    parts += [_box(found.nodes[index], rows[index], index in path) for index in shown]
    return "\n".join([*parts, "</svg>"])


def _path(nodes: Sequence[Node]) -> set[int]:
    proved = [index for index, node in enumerate(nodes) if node.proved]
    path: set[int] = set()
    at = proved[0] if proved else -1
    while at >= 0:
        path.add(at)
        at = nodes[at].parent
    return path


def _place(children: dict[int, list[int]], rows: dict[int, float]) -> None:
    """Leaves one below the other, parents in the middle of their children."""
    free = 0
    stack: list[tuple[int, bool]] = [(0, False)]
    while stack:
        index, done = stack.pop()
        below = children.get(index, [])
        if not below:
            rows[index] = float(free)
            free += 1
        elif done:
            rows[index] = (rows[below[0]] + rows[below[-1]]) / 2
        else:
            stack.append((index, True))
            stack.extend((child, False) for child in reversed(below))


def _edge(nodes: Sequence[Node], rows: dict[int, float], parent: int, child: int, bold: bool) -> str:
    x1, y1 = nodes[parent].depth * _COLUMN + 10 + _WIDTH, rows[parent] * _ROW + 41
    x2, y2 = nodes[child].depth * _COLUMN + 10, rows[child] * _ROW + 41
    colour, stroke = (_COLOURS["proof"], 2.5) if bold else (_COLOURS["closed"], 1)
    return f'<path d="M{x1} {y1:.0f} L{x2} {y2:.0f}" stroke="{colour}" stroke-width="{stroke}" fill="none"/>'


def _box(node: Node, row: float, proof: bool) -> str:
    kind = "proof" if proof else "failed" if node.state is None or node.error else "open" if node.expanded else "closed"
    x, y = node.depth * _COLUMN + 10, row * _ROW + 30
    text = (node.tactic or "theorem").split("\n")[0]
    text = text if len(text) <= 24 else text[:23] + "…"
    about = node.error or str(node.state)
    return (
        f'<g><title>{escape(about[:1500])}</title><rect x="{x}" y="{y:.0f}" width="{_WIDTH}" height="{_HEIGHT}" rx="4" '
        f'fill="white" stroke="{_COLOURS[kind]}" stroke-width="{2.5 if proof else 1}"/>'
        f'<text x="{x + 6}" y="{y + 15:.0f}" fill="{_COLOURS[kind]}">{escape(text)}</text></g>'
    )
