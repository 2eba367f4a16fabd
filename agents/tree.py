"""Tree rollouts: leaves share their beginnings, so a group costs fewer tokens and says where it went right or wrong.

A tree starts with a few episodes of one item and branches where the policy was unsure: before a turn, in a fork of the
environment as it stood there, or inside an action, behind the tokens that are kept. What branches share is sampled once
and read once: the engine copies its cache.

Growing is a *plan*, a generator that asks for chains and is sent them when all have finished. `drive` runs many plans
through one runner, so that trees grow side by side and no tree waits for another. Searches are plans too.

Sources: branching where the policy is unsure, TreeRL (arXiv:2506.11902); at segments, SPO (arXiv:2505.23564); values by
finishing from a state, VinePPO (arXiv:2410.01679).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, TypeVar

import numpy as np

from proofgym.agents.rollout import Item, TextEnv
from proofgym.agents.streaming import Begin, Chain, Runner
from proofgym.envs.trajectory import Trajectory

__all__ = ["Ask", "Plan", "TreeShape", "assign_nodes", "drive", "grow", "paths"]

ResultT = TypeVar("ResultT")


@dataclass(frozen=True, slots=True)
class Ask:
    """A chain that a plan wants: an attempt at its item from the beginning, or from where another chain has been."""

    item: Item
    begin: Begin | None = None
    until: int | None = None


Plan = Generator[Sequence[Ask], list[Chain], ResultT]
"""Yields what it asks for, is sent the finished chains in the same order, and returns its result."""


@dataclass(frozen=True, slots=True)
class TreeShape:
    """How a tree grows: `roots` episodes, then `rounds` times `points` branching points with `branches` branches each.

    Args:
        at: Branch before a turn, or at any token of an action.
        mark: At the most uncertain places of the whole tree so far, or at random ones.
    """

    roots: int = 2
    rounds: int = 2
    points: int = 3
    branches: int = 1
    at: Literal["turn", "token"] = "turn"
    mark: Literal["entropy", "random"] = "entropy"

    @property
    def leaves(self) -> int:
        """How many episodes come out."""
        return self.roots + self.rounds * self.points * self.branches


def grow(item: Item, shape: TreeShape, *, key: tuple[int, ...] = ()) -> Plan[list[Trajectory]]:
    """Grow the tree of one item; the result is one trajectory a leaf, their tokens numbered by tree node.

    Where there is nowhere to branch (one turn only, or all beginnings unjudged) fresh attempts take the branches'
    place, so that a tree always has its leaves.

    Args:
        item: Leaves are its attempts 0, 1, ...
        key: Seeds the random marks.
    """
    rng = np.random.default_rng([*key, item.seed, item.index])
    chains = yield [Ask(replace(item, sample=sample)) for sample in range(shape.roots)]
    for _ in range(shape.rounds):
        points = _points(chains, shape, rng)
        asks = []
        for n in range(shape.points * shape.branches):
            attempt = replace(item, sample=len(chains) + n)
            asks.append(Ask(attempt, points[n % len(points)] if points else None))
        chains = chains + (yield asks)
    assign_nodes(chains)
    return [chain.episode for chain in chains]


def _points(chains: Sequence[Chain], shape: TreeShape, rng: np.random.Generator) -> list[Begin]:
    """Where to branch next: the places of every chain's own, best first."""
    found: list[tuple[float, int, Begin]] = []
    for chain in chains:
        if chain.episode.unjudged:
            continue
        for turn in range(chain.own_turn, len(chain.episode.turns)):
            inherited = chain.begin.tokens if chain.begin and turn == chain.begin.turn else 0
            marks = chain.marks[turn]
            if shape.at == "token":
                places = range(max(1, inherited + 1), len(marks))
            else:  # a turn is a place if something came before it that can be shared, and it was not one already
                places = range(1 if turn and turn > chain.own_turn else 0)
            for token in places:
                found.append((marks[token], len(found), Begin(chain, turn, token)))
    if shape.mark == "random":
        order = rng.permutation(len(found)).tolist()
    else:
        order = sorted(range(len(found)), key=lambda n: (-found[n][0], n))
    return [found[n][2] for n in order[: shape.points]]


def assign_nodes(chains: Sequence[Chain]) -> None:
    """Number the tree's nodes and write them on the turns, one number a token.

    A node is a stretch of tokens with no branching inside. Leaves that share tokens share the numbers.

    Args:
        chains: Of one tree, parents before their branches.
    """
    cuts: dict[int, set[tuple[int, int]]] = {}
    for chain in chains:
        if chain.begin is not None:
            cuts.setdefault(chain.begin.chain.session, set()).add((chain.begin.turn, chain.begin.tokens))
    node = -1
    for chain in chains:
        mine = cuts.get(chain.session, set())
        turns, begin = chain.episode.turns, chain.begin
        for k in range(chain.own_turn):
            assert begin is not None
            turns[k].nodes = list(begin.chain.episode.turns[k].nodes)
        node += 1
        for k in range(chain.own_turn, len(turns)):
            kept = begin.tokens if begin is not None and k == begin.turn else 0
            nodes = begin.chain.episode.turns[k].nodes[:kept] if begin is not None and kept else []
            for token in range(kept, len(turns[k].action_ids)):
                first = (k, token) == (chain.own_turn, kept)
                node += (k, token) in mine and not first
                nodes.append(node)
            turns[k].nodes = nodes


def paths(episodes: Sequence[Trajectory]) -> list[list[int]]:
    """The nodes that each leaf goes through, in order: what `advantages.node_values` backs values up along.

    >>> from proofgym.envs.trajectory import Turn
    >>> turns = [Turn("", "", 0.0, nodes=[0, 0, 1]), Turn("", "", 0.0, nodes=[1, 4])]
    >>> paths([Trajectory("", {}, 0, 0, turns=turns)])
    [[0, 1, 4]]
    """
    found = []
    for episode in episodes:
        path: list[int] = []
        for turn in episode.turns:
            for node in turn.nodes:
                if not path or path[-1] != node:
                    path.append(node)
        found.append(path)
    return found


@dataclass(slots=True)
class _Growing:
    """A plan, what it waits for, and every chain it was given."""

    plan: Plan[object]
    key: tuple[int, ...]
    order: list[int] = field(default_factory=list)
    arrived: dict[int, Chain] = field(default_factory=dict)
    chains: list[Chain] = field(default_factory=list)


def drive(
    runner: Runner,
    plans: Iterable[tuple[Plan[ResultT], tuple[int, ...]]],
    *,
    side_by_side: int = 16,
    prepare: Callable[[TextEnv, Item], None] | None = None,
) -> Iterator[ResultT]:
    """Run plans through one runner and yield their results as they are done.

    Args:
        runner: It keeps forks, so that chains can branch.
        plans: Each with the key that seeds its chains. Read lazily.
        side_by_side: How many plans at a time.
        prepare: See `Runner.start`.
    """
    assert runner.keep_forks, "plans branch, so the runner has to keep forks"
    coming, more = iter(plans), True
    owners: dict[int, _Growing] = {}
    growing: list[_Growing] = []
    queue: deque[tuple[_Growing, int, Ask]] = deque()

    def advance(one: _Growing, chains: list[Chain] | None) -> list[ResultT]:
        try:
            asks = next(one.plan) if chains is None else one.plan.send(chains)
        except StopIteration as stop:
            growing.remove(one)
            for chain in one.chains:
                runner.release(chain)
            return [stop.value]
        one.order, one.arrived = list(range(len(asks))), {}
        queue.extend((one, place, ask) for place, ask in enumerate(asks))
        return [] if asks else advance(one, [])

    places: dict[int, int] = {}
    try:
        while True:
            results: list[ResultT] = []
            while more and len(growing) < side_by_side:
                following = next(coming, None)
                if following is None:
                    more = False
                    break
                one = _Growing(*following)
                growing.append(one)
                results += advance(one, None)
            for _ in range(len(queue)):
                one, place, ask = queue.popleft()
                if ask.begin is None and not runner.free:
                    queue.append((one, place, ask))
                    continue
                chain = (
                    runner.start(ask.item, one.key, until=ask.until, prepare=prepare)
                    if ask.begin is None
                    else runner.branch(ask.begin, ask.item.sample, one.key, until=ask.until)
                )
                owners[chain.session], places[chain.session] = one, place
            for chain in runner.tick():
                one = owners.pop(chain.session)
                one.arrived[places.pop(chain.session)] = chain
                one.chains.append(chain)
                if len(one.arrived) == len(one.order):
                    results += advance(one, [one.arrived[place] for place in one.order])
            yield from results
            if not more and not growing and not results:
                return
    finally:
        for one in growing:  # somebody has had enough before the end
            for chain in one.chains:
                runner.release(chain)
