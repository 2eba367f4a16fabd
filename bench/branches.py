"""The tree that branched attempts at one item make, placed for drawing, with the value of every node.

Attempts that share a token share its node (`Turn.nodes`), so each attempt is a path from the root and the tree is
implied by the paths. A node's value is the mean reward of the judged attempts that go through it: what finishing from
there has been worth.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from proofgym.bench.index import label, reward

__all__ = ["tree"]

_TEXT = 400  # characters of a node that are shown
_NODES = 2000


def tree(leaves: Sequence[tuple[str, Mapping[str, Any]]]) -> dict[str, Any] | None:
    """Put a tree together from its leaves.

    Args:
        leaves: The permalink and the content of each attempt.
    Returns:
        `nodes`, parents before children, each with its parent's place in the list (-1 for the root), depth, row, value,
        number of leaves, first turn and text; `leaves`, each with its permalink, outcome, reward and the place of its
        last node. Nothing if no attempt has numbered nodes, or there are too many to draw.

    >>> def attempt(nodes, reward):
    ...     turn = {"observation": "", "action": "ab", "reward": reward, "credits": [], "nodes": nodes,
    ...             "token_ends": [1, 2]}
    ...     return {"env": "e", "task": {}, "seed": 0, "index": 0, "end": "terminated", "turns": [turn]}
    >>> drawn = tree([("0.0.0", attempt([0, 1], 1.0)), ("0.0.1", attempt([0, 2], 0.0))])
    >>> [(node["parent"], node["value"], node["text"]) for node in drawn["nodes"][1:]]
    [(0, 0.5, 'a'), (1, 1.0, 'b'), (1, 0.0, 'b')]
    """
    nodes: list[dict[str, Any]] = [_node(-1, 0, 0)]
    place: dict[int, int] = {}
    ends: list[dict[str, Any]] = []
    paid: list[list[float]] = [[]]
    for name, data in leaves:
        value = reward(data)
        at = 0
        walked = [0]
        for turn_number, turn in enumerate(data["turns"]):
            for key, text in _stretches(turn):
                if key not in place:
                    if len(nodes) >= _NODES:
                        return None
                    place[key] = len(nodes)
                    nodes.append(_node(at, nodes[at]["depth"] + 1, turn_number))
                    paid.append([])
                here = nodes[place[key]]
                at = place[key]
                if walked[-1] != at:
                    walked.append(at)
                if here["owner"] in (None, name):  # every leaf below a node says the same there
                    apart = "\n" if here["text"] and turn_number != here["last"] else ""
                    here |= {"owner": name, "last": turn_number, "text": (here["text"] + apart + text)[:_TEXT]}
        for n in walked:
            nodes[n]["leaves"] += 1
            if not math.isnan(value):
                paid[n].append(value)
        ends.append({
            "id": name, "label": label(data), "reward": None if math.isnan(value) else value, "node": at,
            "sample": data.get("sample", 0),
        })  # fmt: skip
    if len(nodes) == 1:
        return None
    for node, values in zip(nodes, paid, strict=True):
        node["value"] = math.fsum(values) / len(values) if values else None
        del node["owner"], node["last"]
    _place(nodes, ends)
    return {"nodes": nodes, "leaves": ends}


def _node(parent: int, depth: int, turn: int) -> dict[str, Any]:
    return {
        "parent": parent, "depth": depth, "turn": turn, "leaves": 0, "value": None, "row": 0.0, "text": "",
        "owner": None, "last": turn,
    }  # fmt: skip


def _stretches(turn: Mapping[str, Any]) -> list[tuple[int, str]]:
    """The nodes that a turn goes through, each with the text that was written there."""
    numbers, ends, action = turn.get("nodes") or [], turn.get("token_ends") or [], turn["action"]
    found: list[tuple[int, str]] = []
    start = 0
    for at, number in enumerate(numbers):
        if type(number) is not int:
            continue
        end = ends[at] if at < len(ends) and type(ends[at]) is int else start
        text = action[start:end]
        start = max(start, end)
        if found and found[-1][0] == number:
            found[-1] = (number, found[-1][1] + text)
        else:
            found.append((number, text))
    return found


def _place(nodes: list[dict[str, Any]], ends: list[dict[str, Any]]) -> None:
    """Attempts one below the other in the order of the tree, nodes in the middle of what hangs on them."""
    below: dict[int, list[int]] = {}
    for number, node in enumerate(nodes[1:], start=1):
        below.setdefault(node["parent"], []).append(number)
    hanging: dict[int, list[dict[str, Any]]] = {}
    for end in ends:
        hanging.setdefault(end["node"], []).append(end)
    free = 0
    stack: list[tuple[int, bool]] = [(0, False)]
    while stack:
        number, done = stack.pop()
        if not done:
            stack.append((number, True))
            for end in hanging.get(number, []):
                end["row"] = free
                free += 1
            stack.extend((child, False) for child in reversed(below.get(number, [])))
            continue
        rows = [nodes[child]["row"] for child in below.get(number, [])] + [
            end["row"] for end in hanging.get(number, [])
        ]
        nodes[number]["row"] = (min(rows) + max(rows)) / 2 if rows else 0.0
