"""Which task next: curricula over levels, or over the tasks of a pool, by what the attempts so far came to.

| name | chooses | source |
| --- | --- | --- |
| `uniform` | every level alike | |
| `bandit` | levels by a softmax over the mean absolute advantage they gave | SEC, arXiv:2505.14970 |
| `learnability` | levels by p (1 − p) of their success rate p | SFL, arXiv:2408.15099 |
| `band` | levels whose success rate lies in a band; others the less the further away they are | |
| `posterior` | tasks of a pool by Thompson sampling, those nearest a target success rate | MoPPS, arXiv:2507.04632 |

Success is the mean reward of a group's judged attempts, clipped to [0, 1]. All chance comes from the generator that is
handed in; a curriculum's state is plain data, so a run resumes where it was.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from proofgym.envs.trajectory import Trajectory

__all__ = ["Bandit", "Curriculum", "Outcome", "Pick", "Posterior", "SuccessRates", "Uniform", "outcome"]

_EPS = 0.02  # no level is ever given up: what was too hard may not stay so


@dataclass(frozen=True, slots=True)
class Pick:
    """A task to ask: its level's number, and for a curriculum over tasks its index there."""

    level: int
    index: int | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a group came to.

    Args:
        level, index: Of the task.
        successes: Sum of the judged attempts' rewards, each clipped to [0, 1].
        attempts: How many were judged.
        spread: Mean absolute difference of a reward to the group's mean, in reward units: the mean |advantage|.
    """

    level: int
    index: int
    successes: float
    attempts: int
    spread: float


def outcome(level: int, index: int, group: Sequence[Trajectory]) -> Outcome:
    """Summarise a group; unjudged attempts are no attempts."""
    rewards = np.array([episode.reward for episode in group if not episode.unjudged])
    if not rewards.size:
        return Outcome(level, index, 0.0, 0, 0.0)
    return Outcome(
        level,
        index,
        float(np.clip(rewards, 0.0, 1.0).sum()),
        len(rewards),
        float(np.abs(rewards - rewards.mean()).mean()),
    )


class Curriculum(Protocol):
    """Chooses tasks and is told what came of them."""

    def choose(self, count: int, rng: np.random.Generator) -> list[Pick]:
        """So many tasks to ask."""
        ...

    def observe(self, outcomes: Sequence[Outcome]) -> None:
        """Take note."""
        ...

    def rate(self, pick: Pick) -> float:
        """The success rate to expect."""
        ...

    def numbers(self) -> dict[str, float]:
        """For the log."""
        ...

    def state_dict(self) -> dict[str, Any]:
        """Plain data."""
        ...

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take up what `state_dict` gave."""
        ...


class SuccessRates:
    """Levels weighted by a running estimate of their success rate.

    Args:
        levels: How many.
        rate: How fast estimates follow: p ← (1 − rate) p + rate · observed.
        band: Success rates wanted; None weighs by learnability, p (1 − p).
    """

    def __init__(self, levels: int, *, rate: float = 0.2, band: tuple[float, float] | None = None) -> None:
        self._rate, self._band = rate, band
        self.p = np.full(levels, 0.5)

    def weights(self) -> NDArray[np.float64]:
        """The probability of each level."""
        if self._band is None:
            weights = self.p * (1.0 - self.p)
        else:
            low, high = self._band
            weights = np.exp(-10.0 * (np.maximum(low - self.p, 0.0) + np.maximum(self.p - high, 0.0)))
        return _floored(weights)

    def choose(self, count: int, rng: np.random.Generator) -> list[Pick]:
        """Levels at random, by their weights."""
        return [Pick(int(level)) for level in rng.choice(len(self.p), size=count, p=self.weights())]

    def observe(self, outcomes: Sequence[Outcome]) -> None:
        """Move each level's estimate towards the mean of its groups."""
        for level in range(len(self.p)):
            mine = [o for o in outcomes if o.level == level and o.attempts]
            if mine:
                seen = sum(o.successes for o in mine) / sum(o.attempts for o in mine)
                self.p[level] += self._rate * (seen - self.p[level])

    def rate(self, pick: Pick) -> float:
        """The level's estimate."""
        return float(self.p[pick.level])

    def numbers(self) -> dict[str, float]:
        """Estimates and weights by level."""
        weights = self.weights()
        return {
            **{f"level_{n}_success": float(p) for n, p in enumerate(self.p)},
            **{f"level_{n}_weight": float(w) for n, w in enumerate(weights)},
        }

    def state_dict(self) -> dict[str, Any]:
        """The estimates."""
        return {"p": self.p.tolist()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take them up."""
        self.p = np.array(state["p"], dtype=np.float64)


class Uniform(SuccessRates):
    """Every level alike; estimates are kept for the log."""

    def weights(self) -> NDArray[np.float64]:
        """All the same."""
        return np.full(len(self.p), 1.0 / len(self.p))


class Bandit(SuccessRates):
    """Levels as the arms of a non-stationary bandit whose pay is the mean absolute advantage.

    Args:
        levels: How many.
        rate: Q ← (1 − rate) Q + rate · mean |A|.
        temperature: Of the softmax over Q, in reward units.
    Source:
        Chen et al. 2025, SEC (arXiv:2505.14970). Q starts at the most that a reward in [0, 1] can give, 0.5, so that
        every level is tried.
    """

    def __init__(self, levels: int, *, rate: float = 0.2, temperature: float = 0.2) -> None:
        super().__init__(levels, rate=rate)
        self._temperature = temperature
        self.q = np.full(levels, 0.5)

    def weights(self) -> NDArray[np.float64]:
        """The softmax."""
        return _floored(np.exp((self.q - self.q.max()) / self._temperature))

    def observe(self, outcomes: Sequence[Outcome]) -> None:
        """Move each arm's value towards what its groups paid."""
        super().observe(outcomes)
        for level in range(len(self.q)):
            mine = [o.spread for o in outcomes if o.level == level and o.attempts > 1]
            if mine:
                self.q[level] += self._rate * (float(np.mean(mine)) - self.q[level])

    def state_dict(self) -> dict[str, Any]:
        """Estimates and values."""
        return {**super().state_dict(), "q": self.q.tolist()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take them up."""
        super().load_state_dict(state)
        self.q = np.array(state["q"], dtype=np.float64)


class Posterior:
    """A Beta posterior of the success rate of each task of a pool; the tasks nearest a target are asked.

    Args:
        levels: How many.
        pool: Tasks a level, items 0 to pool − 1.
        target: The success rate wanted.
        forget: Before each observation a task's counts shrink by this share towards the prior Beta(1, 1), because the
            policy is no longer the one that made them.
    Source:
        Qu et al. 2025, MoPPS (arXiv:2507.04632): Thompson sampling, then the tasks nearest the target.
    """

    def __init__(self, levels: int, pool: int, *, target: float = 0.5, forget: float = 0.2) -> None:
        self._target, self._forget = target, forget
        self.alpha, self.beta = np.ones((levels, pool)), np.ones((levels, pool))

    def choose(self, count: int, rng: np.random.Generator) -> list[Pick]:
        """The tasks whose sampled success rates lie nearest the target; none twice unless the pool is too small."""
        pool = self.alpha.shape[1]
        picks: list[Pick] = []
        while len(picks) < count:
            away = np.abs(rng.beta(self.alpha, self.beta) - self._target).ravel()
            nearest = np.argsort(away, kind="stable")[: count - len(picks)]
            picks += [Pick(int(n) // pool, int(n) % pool) for n in nearest]
        return picks

    def observe(self, outcomes: Sequence[Outcome]) -> None:
        """Forget a little, then count."""
        for o in outcomes:
            if o.attempts and o.index < self.alpha.shape[1]:
                at = o.level, o.index
                self.alpha[at] = 1.0 + (1.0 - self._forget) * (self.alpha[at] - 1.0) + o.successes
                self.beta[at] = 1.0 + (1.0 - self._forget) * (self.beta[at] - 1.0) + o.attempts - o.successes

    def rate(self, pick: Pick) -> float:
        """The posterior's mean."""
        at = pick.level, pick.index or 0
        return float(self.alpha[at] / (self.alpha[at] + self.beta[at]))

    def numbers(self) -> dict[str, float]:
        """How the pool stands."""
        mean = self.alpha / (self.alpha + self.beta)
        return {"pool_success": float(mean.mean()), "pool_tried": float((self.alpha + self.beta > 2.0).mean())}

    def state_dict(self) -> dict[str, Any]:
        """The counts."""
        return {"alpha": self.alpha.tolist(), "beta": self.beta.tolist()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take them up."""
        self.alpha = np.array(state["alpha"], dtype=np.float64)
        self.beta = np.array(state["beta"], dtype=np.float64)


def _floored(weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Probabilities, with a little for everyone."""
    total = weights.sum()
    shares = weights / total if total > 0.0 else np.full(len(weights), 1.0 / len(weights))
    mixed: NDArray[np.float64] = (1.0 - _EPS) * shares + _EPS / len(weights)
    mixed /= mixed.sum()
    return mixed
