"""Spending more samples on one item, for evaluation: best of n, beams over turns, Monte-Carlo tree search.

All are plans for `tree.drive`. None of them sees more than the policy and, where it is told to, the reward.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from proofgym.agents.rollout import Item
from proofgym.agents.streaming import Begin, Chain
from proofgym.agents.tree import Ask, Plan
from proofgym.envs.trajectory import Trajectory

__all__ = ["Choice", "beam", "best_of", "by_logprob", "by_majority", "by_reward", "mcts"]

Choice = Callable[[Sequence[Trajectory]], int]
"""Which of several episodes to hand in."""


def by_reward(episodes: Sequence[Trajectory]) -> int:
    """The one that earned most: what a policy with a perfect judge at hand would hand in (pass@n)."""
    return max(range(len(episodes)), key=lambda n: (-math.inf if episodes[n].unjudged else episodes[n].reward, -n))


def by_logprob(episodes: Sequence[Trajectory]) -> int:
    """The one that the policy itself finds likeliest a token."""

    def mean(episode: Trajectory) -> float:
        values = [value for turn in episode.turns for value in turn.logprobs]
        return math.fsum(values) / len(values) if values else -math.inf

    return max(range(len(episodes)), key=lambda n: (mean(episodes[n]), -n))


def by_majority(episodes: Sequence[Trajectory]) -> int:
    """One of those whose last action was written most often (self-consistency, Wang et al. 2022, arXiv:2203.11171)."""
    last = [episode.turns[-1].action.strip() if episode.turns else "" for episode in episodes]
    most, _ = Counter(last).most_common(1)[0]
    return last.index(most)


def best_of(item: Item, count: int, choose: Choice = by_reward) -> Plan[Trajectory]:
    """Play an item `count` times and hand in one episode."""
    chains = yield [Ask(replace(item, sample=sample)) for sample in range(count)]
    episodes = [chain.episode for chain in chains]
    return episodes[choose(episodes)]


def beam(
    item: Item,
    width: int,
    branches: int,
    *,
    value: Callable[[Trajectory], float],
    choose: Choice = by_reward,
    max_turns: int = 64,
) -> Plan[Trajectory]:
    """Keep the `width` best beginnings, turn after turn, each continued `branches` times.

    Args:
        value: How good a beginning looks; it is called on episodes that are not over.
        choose: Among those that came to an end.
        max_turns: Give up the beginnings that are not over by then.
    """
    done: list[Trajectory] = []
    chains = yield [Ask(replace(item, sample=sample), until=1) for sample in range(width * branches)]
    sample = width * branches
    for turn in range(1, max_turns):
        done += [chain.episode for chain in chains if not chain.paused]
        going = [chain for chain in chains if chain.paused]
        going.sort(key=lambda chain: (-value(chain.episode), chain.item.sample))
        going = going[: max(0, width - len(done))]
        if not going:
            break
        asks = []
        for chain in going:
            for _ in range(branches):
                asks.append(Ask(replace(item, sample=sample), Begin(chain, turn), until=turn + 1))
                sample += 1
        chains = yield asks
    else:
        done += [chain.episode for chain in chains]
    return done[choose(done)]


@dataclass(slots=True, eq=False)
class _Place:
    """A state that was reached: where to begin again from it, and what came of passing through."""

    begin: Begin | None
    visits: int = 0
    worth: float = 0.0
    children: list[_Place] = field(default_factory=list)


def mcts(
    item: Item,
    simulations: int,
    *,
    parallel: int = 4,
    explore: float = 0.5,
    widen: float = 0.5,
    choose: Choice = by_reward,
) -> Plan[Trajectory]:
    """Monte-Carlo tree search over turns; actions are what the policy samples.

    A simulation walks down by upper confidence bounds. A state that was passed n times has up to ⌈n^widen⌉ children;
    where one is missing the policy plays on from there to the end, and every state on that way joins the tree with what
    the episode earned.

    Args:
        simulations: Episodes, all in all.
        parallel: So many are played at a time; those under way count as visits that earned nothing.
        explore: Weight of the exploration bonus, in reward units.
        widen: Progressive widening, in [0, 1] (Coulom 2007; Couëtoux et al. 2011).
        choose: Among all episodes.
    """
    root, played = _Place(None), list[Trajectory]()
    while len(played) < simulations:
        count = min(parallel, simulations - len(played))
        ways = [_walk(root, explore, widen) for _ in range(count)]
        chains = yield [Ask(replace(item, sample=len(played) + n), way[-1].begin) for n, way in enumerate(ways)]
        for way, chain in zip(ways, chains, strict=True):
            _join(way, chain)
            played.append(chain.episode)
    return played[choose(played)]


def _walk(root: _Place, explore: float, widen: float) -> list[_Place]:
    way = [root]
    root.visits += 1
    while True:
        here = way[-1]
        if not here.children or len(here.children) < math.ceil(here.visits**widen):
            return way
        bonus = math.log(here.visits)
        best = max(here.children, key=lambda c: c.worth / c.visits + explore * math.sqrt(bonus / c.visits))
        if best.begin is None:  # the end of an episode: nothing new can come of it
            return way
        best.visits += 1
        way.append(best)


def _join(way: list[_Place], chain: Chain) -> None:
    earned = 0.0 if chain.episode.unjudged else chain.episode.reward
    for place in way:
        place.worth += earned
    here = way[-1]
    turns = chain.episode.turns
    for turn in range(chain.own_turn + 1, len(turns) + 1):
        ended = turn == len(turns)
        new = _Place(None if ended or chain.episode.unjudged else Begin(chain, turn), 1, earned)
        here.children.append(new)
        here = new
