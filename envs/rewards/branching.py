"""Process rewards from forks: what a step is worth, measured by finishing from before it and from behind it.

The value of a place in an episode is the mean outcome of finishing from there with a given policy. A step's advantage
is its reward plus the value behind it minus the value before it. Places are reached by forking an environment between
two turns, or by cutting one action into a prefix that is kept and a rest that is written anew.

* `places.turn_path` and `places.text_path` lay out the places of an episode or of a text;
* `Branching.measure` values the steps of many paths together, within one budget;
* `Branching.first_error` finds the first step behind which nobody finishes, with few places looked at;
* `credits_of` turns steps into credits.

A finish that could not be judged is dropped and counted. Nothing here knows who the policy is.

Sources: the share of finishes that are right, soft, or whether any is, hard: Math-Shepherd (arXiv:2312.08935).
Advantages as differences of such values: VinePPO (arXiv:2410.01679). The search for the first error: OmegaPRM
(arXiv:2406.06592).
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import get_args

import numpy as np

from proofgym.envs.base import Info, fork
from proofgym.envs.rewards.intervals import empirical_bernstein, wilson
from proofgym.envs.rewards.measures import Adaptive, Budget, Estimate, FirstError, Fixed, Spent, StepValue
from proofgym.envs.rewards.places import History, Measure, Path, Place, TextEnv, play, worth
from proofgym.errors import BadInput, Unjudged
from proofgym.verifiers import Credit

__all__ = [
    "Adaptive", "Ask", "BatchPolicy", "Branching", "Budget", "Estimate", "FirstError", "Fixed", "Policy", "Spent",
    "StepValue", "credits_of", "each",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Ask:
    """What a policy is asked in one turn of a finish.

    Args:
        observation, info: The environment's.
        rng: All chance of the answer comes from here.
        history: The turns before, action and observation read before it.
        prefix: What is written already of this action; the answer goes on behind it.
    """

    observation: str
    info: Info
    rng: np.random.Generator
    history: History = ()
    prefix: str = ""


Policy = Callable[[str, Info, np.random.Generator], str]
BatchPolicy = Callable[[Sequence[Ask]], Sequence[str]]
"""Answers many turns at once, in order."""


def each(policy: Policy) -> BatchPolicy:
    """A policy that answers one turn at a time, as one that answers many; a prefix is in `info["prefix"]`."""

    def answer(asks: Sequence[Ask]) -> list[str]:
        return [
            policy(ask.observation, {**ask.info, "prefix": ask.prefix} if ask.prefix else ask.info, ask.rng)
            for ask in asks
        ]

    return answer


# Measuring ------------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Sampled:
    """The finishes from the places of one key."""

    number: int
    outcomes: list[float] = field(default_factory=list)
    begun: int = 0
    unjudged: int = 0


@dataclass(slots=True)
class _Running:
    """One finish."""

    sampled: _Sampled
    place: Place
    sample: int
    env: TextEnv
    observation: str
    info: Info
    history: History
    prefix: str
    earned: float = 0.0
    discount: float = 1.0


class Branching:
    """Measures steps by finishing from forks.

    Args:
        policy: Who finishes; `each` makes one of a function of one turn.
        measure: What a finish came to. Paths have to be laid out for the same one.
        plan: How many finishes.
        gamma: Discount, for the measure `return`.
        bounds: Between which numbers the returns of finishes lie; intervals of the measure `return` need it.
        budget: Of everything that this object measures.
        seed: Of all finishes. Values are a function of it, the places and the plan: batching changes nothing.
        common: Finish number *i* uses the same random numbers at the same turn from every place, so that differences
            between places vary less where the policy answers alike.
        side_by_side: Finishes that run at once, and so the most turns the policy is asked for at once.
    Raises:
        BadInput: For an unknown measure, bounds out of order, or a gamma outside (0, 1].
    """

    def __init__(
        self,
        policy: BatchPolicy,
        *,
        measure: Measure = "return",
        plan: Fixed | Adaptive | None = None,
        gamma: float = 1.0,
        bounds: tuple[float, float] = (0.0, 1.0),
        budget: Budget | None = None,
        seed: int = 0,
        common: bool = False,
        side_by_side: int = 64,
    ) -> None:
        if measure not in get_args(Measure):
            raise BadInput(f"a measure is one of {', '.join(get_args(Measure))}, found {measure!r}")
        if not (bounds[0] < bounds[1] and 0.0 < gamma <= 1.0 and side_by_side >= 1):
            raise BadInput(
                f"needs low < high, 0 < gamma <= 1 and side_by_side >= 1; found {bounds}, {gamma}, {side_by_side}"
            )
        self.policy, self.measured, self.plan = policy, measure, plan or Fixed()
        self.gamma = gamma if measure == "return" else 1.0
        self.bounds = bounds if measure == "return" else (0.0, 1.0)
        self.budget, self.seed, self.common, self.side_by_side = budget or Budget(), seed, common, side_by_side
        self.spent = Spent()
        self._known: dict[str, _Sampled] = {}
        self._unnamed = 0

    def forget(self) -> None:
        """Drop all finishes, as one has to when the policy has changed."""
        self._known.clear()

    def measure(self, paths: Sequence[Path]) -> list[list[StepValue]]:
        """The value of every step of every path.

        A budget that runs out leaves all places with the same number of finishes, up to one look's share.

        Raises:
            BadInput: If a path was laid out for another measure, or the policy does not answer all that it is asked.
        """
        self._check(paths)
        sampled = [[self._sampled(place) for place in path.places] for path in paths]
        plan = self.plan
        if isinstance(plan, Fixed):
            self._finish([(s, p, plan.n) for path, row in zip(paths, sampled, strict=True)
                          for p, s in zip(path.places, row, strict=True)])  # fmt: skip
            return self._values(paths, sampled)
        n, first = plan.least, True
        while True:
            found = self._values(paths, sampled)
            wanted: dict[int, tuple[_Sampled, Place, int]] = {}
            for path, row, steps in zip(paths, sampled, found, strict=True):
                for k, step in enumerate(steps):
                    if first or not step.settled:
                        for at in (k, k + 1):
                            wanted.setdefault(id(row[at]), (row[at], path.places[at], n))
            if not wanted or self._exhausted:
                return found
            self._finish(list(wanted.values()))
            if n == plan.most:
                return self._values(paths, sampled)
            first, n = False, min(plan.most, 2 * n)

    def value(self, place: Place, n: int) -> Estimate:
        """The value of one place from `n` finishes, those that are there already included."""
        sampled = self._sampled(place)
        self._finish([(sampled, place, n)])
        return self._estimate(place, sampled, 1.0 - self._confidence)

    def first_error(self, path: Path, *, n: int = 16, above: float = 0.0) -> FirstError:
        """The first step behind which no finish comes to more than `above`, by binary search.

        It takes for granted that what is lost stays lost: a place behind which nobody finishes is not followed by one
        behind which somebody does. About log2 of the number of steps places are looked at, of `n` finishes each.
        """
        self._check([path])
        looked: dict[int, Estimate] = {}

        def alive(number: int) -> bool:
            looked[number] = self.value(path.places[number], n)
            if not (looked[number].exact or looked[number].n):
                raise Unjudged("no finish from a place could be judged")
            return looked[number].best > above

        last = len(path.places) - 1
        if alive(last):
            return FirstError(None, "it ends well, or can still be finished", looked)
        if not alive(0):
            return FirstError(None, f"none of {n} finishes from the start came to anything", looked)
        low, high = 0, last
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if alive(middle) else (low, middle)
        return FirstError(low, "", looked)

    # Inside -----------------------------------------------------------------------------------------------------------

    def _check(self, paths: Sequence[Path]) -> None:
        for path in paths:
            if path.measure not in (None, self.measured):
                raise BadInput(f"the path was laid out for {path.measure!r}, and {self.measured!r} is measured")

    @property
    def _confidence(self) -> float:
        return self.plan.confidence if isinstance(self.plan, Adaptive) else 0.95

    @property
    def _exhausted(self) -> bool:
        return self.spent.turns >= self.budget.turns or self.spent.cost >= self.budget.cost

    def _sampled(self, place: Place) -> _Sampled:
        if place.key and place.key in self._known:
            self.spent.shared += place.worth is None
            return self._known[place.key]
        if place.key:
            try:
                number = int(place.key[:15], 16)
            except ValueError:
                raise BadInput(f"a place's key is hexadecimal, as a hash is; found {place.key!r:.60}") from None
            return self._known.setdefault(place.key, _Sampled(number))
        self._unnamed += 1
        return _Sampled(self._unnamed)

    def _finish(self, wanted: Sequence[tuple[_Sampled, Place, int]]) -> None:
        """Finish from places until each has as many as it should; those with the fewest come first."""
        missing: list[tuple[int, int, _Sampled, Place]] = []
        reached: dict[int, int] = {}
        for order, (sampled, place, n) in enumerate(wanted):
            if place.worth is not None:
                continue
            done = reached.get(id(sampled), sampled.begun)
            missing += [(sample, order, sampled, place) for sample in range(done, n)]
            reached[id(sampled)] = max(done, n)
        waiting = deque(sorted(missing, key=lambda job: job[:2]))
        running: list[_Running] = []
        while waiting or running:
            while waiting and len(running) < self.side_by_side:
                if not self._affords(len(running)):
                    if not running:
                        waiting.clear()
                    break
                sample, _, sampled, place = waiting.popleft()
                assert place.env is not None
                sampled.begun = max(sampled.begun, sample + 1)
                running.append(
                    _Running(
                        sampled,
                        place,
                        sample,
                        fork(place.env),
                        place.observation,
                        place.info,
                        place.history,
                        place.prefix,
                    )
                )
            if running:
                running = self._turn(running)

    def _affords(self, running: int) -> bool:
        """Whether one more finish fits into the budget beside those that run."""
        ended = self.spent.finishes + self.spent.unjudged
        for spent, limit, least in (
            (self.spent.turns, self.budget.turns, 1.0), (self.spent.cost, self.budget.cost, 0.0)
        ):  # fmt: skip
            if math.isfinite(limit) and spent + running * (spent / ended if ended else least) >= limit:
                return False
        return True

    def _turn(self, running: list[_Running]) -> list[_Running]:
        """One turn of every finish; those that go on."""
        asks = [Ask(one.observation, one.info, self._rng(one), one.history, one.prefix) for one in running]
        answers = list(self.policy(asks))
        if len(answers) != len(asks):
            raise BadInput(f"the policy was asked {len(asks)} times and answered {len(answers)} times")
        going = []
        for one, answer in zip(running, answers, strict=True):
            self.spent.turns += 1
            self.spent.cost += self.budget.count(answer)
            action = one.prefix + answer
            try:
                observation, reward, over, info = play(one.env, action)
            except Unjudged:
                one.sampled.unjudged += 1
                self.spent.unjudged += 1
                continue
            one.earned += one.discount * reward
            one.discount *= self.gamma
            one.history, one.prefix = (*one.history, (one.observation, action)), ""
            one.observation, one.info = observation, info
            if over:
                rest = worth(self.measured, info)
                one.sampled.outcomes.append(one.earned if self.measured == "return" else rest)
                self.spent.finishes += 1
            else:
                going.append(one)
        return going

    def _rng(self, one: _Running) -> np.random.Generator:
        turn = len(one.history)
        if self.common:
            return np.random.default_rng([self.seed, one.sample, turn])
        return np.random.default_rng([self.seed, one.sampled.number, one.sample, turn])

    def _estimate(self, place: Place, sampled: _Sampled, miss: float) -> Estimate:
        if place.worth is not None:
            return Estimate(place.worth, place.worth, place.worth, 0, place.worth, exact=True)
        outcomes, (low, high) = sampled.outcomes, self.bounds
        if not outcomes:
            return Estimate(math.nan, low, high, 0, -math.inf, sampled.unjudged)
        mean = math.fsum(outcomes) / len(outcomes)
        # Decided by the measure and never by the outcomes: what was seen may not choose how it is judged.
        binary = self.measured == "solved"
        if binary:
            ends = wilson(math.fsum(outcomes), len(outcomes), miss)
        else:
            ends = empirical_bernstein(outcomes, miss, low, high)
        return Estimate(mean, *ends, len(outcomes), max(outcomes), sampled.unjudged, binary=binary)

    def _values(self, paths: Sequence[Path], sampled: Sequence[Sequence[_Sampled]]) -> list[list[StepValue]]:
        miss = 1.0 - self._confidence
        if isinstance(self.plan, Adaptive):
            miss /= self.plan.looks
        found = []
        for path, row in zip(paths, sampled, strict=True):
            places = list(zip(path.places, row, strict=True))
            values = [self._estimate(place, s, miss) for place, s in places]
            # Two bounds that hold for certain make one of their difference if each misses half as often.
            wide = [self._estimate(place, s, miss / 2.0) for place, s in places]
            found.append(
                [self._step_value(path, k, values[k : k + 2], wide[k : k + 2]) for k in range(len(path.spans))]
            )
        return found

    def _step_value(self, path: Path, k: int, values: Sequence[Estimate], wide: Sequence[Estimate]) -> StepValue:
        turn, start, end = path.spans[k]
        before, after = values
        reward = path.rewards[k] if self.measured == "return" else 0.0
        # Inside one action nothing is discounted: it is one turn of the environment.
        gamma = self.gamma if path.places[k + 1].prefix == "" else 1.0
        advantage = reward + gamma * after.mean - before.mean
        if all(estimate.exact or estimate.binary for estimate in values):
            less = math.hypot(gamma * (after.mean - after.low), before.high - before.mean)
            more = math.hypot(gamma * (after.high - after.mean), before.mean - before.low)
            low, high = advantage - less, advantage + more
        else:
            low = reward + gamma * wide[1].low - wide[0].high
            high = reward + gamma * wide[1].high - wide[0].low
        settled = not isinstance(self.plan, Adaptive)
        if isinstance(self.plan, Adaptive):
            settled = (high - low) / 2.0 <= self.plan.width or (self.plan.sign and (low > 0.0 or high < 0.0))
        return StepValue(turn, start, end, reward, before, after, advantage, low, high, settled)


def credits_of(steps: Sequence[StepValue], label: str = "process") -> list[list[Credit]]:
    """The advantages of steps as credits on what was written, one list a turn.

    A step that could not be judged has no credit.
    """
    turns: list[list[Credit]] = [[] for _ in range(max((step.turn for step in steps), default=-1) + 1)]
    for step in steps:
        if step.judged:
            reason = f"{step.before.mean:.2f} before, {step.after.mean:.2f} behind"
            turns[step.turn].append(Credit(step.start, step.end, step.advantage, label, reason))
    return turns
