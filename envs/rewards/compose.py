"""Composition: an environment that pays by a specification instead of by itself.

What is paid is made of credits only, so that the reward, its parts in `info["reward_terms"]` and the credits agree by
construction. What the environment itself paid stays in `info["unshaped"]`.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

import gymnasium

from proofgym.envs.base import Info
from proofgym.envs.rewards.spec import RewardSpec, Term
from proofgym.envs.rewards.terms import Per, Played, TermFunction, evaluate
from proofgym.envs.wrappers import ForkableWrapper
from proofgym.errors import BadInput
from proofgym.verifiers import Credit, Verdict
from proofgym.verifiers.credit import total

__all__ = ["ComposedReward", "Ledger", "own_credits", "set_progress"]


class Ledger:
    """What the turns of one episode pay by a specification.

    Args:
        spec: What pays.
    """

    def __init__(self, spec: RewardSpec) -> None:
        self.terms: list[tuple[Term, TermFunction, Per]] = [(t, t.build(), t.pays_per) for t in spec.terms]

    @staticmethod
    def fresh() -> dict[str, Any]:
        """The memory of an episode that has no turns yet."""
        return {"earned": 0.0, "waiting": {}}

    def turn(
        self, played: Played, memory: dict[str, Any], progress: float = 0.0
    ) -> tuple[list[Credit], dict[str, float]]:
        """The credits of a turn, and the value of each term that was due in it.

        Args:
            played: The turn.
            memory: As `fresh` makes it; changed.
            progress: Of training, for schedules.
        Raises:
            Unjudged: If a term fails.
            BadInput: If a term or gate needs a verdict and the environment ends without one.
        """
        paid: list[Credit] = []
        due: dict[str, float] = {}
        for term, function, per in self.terms:
            if per == "end" and not played.over:
                continue
            found = evaluate(term.label, function, played)
            share = 1.0
            if per == "episode":
                before, count = memory["waiting"].get(term.label, (0.0, 0))
                if found is not None:
                    count += 1
                if not played.over:
                    memory["waiting"][term.label] = [before + math.fsum(c.value for c in found or ()), count]
                    continue
                share = 1.0 / max(1, count)
                earlier = count - (found is not None)
                if earlier:
                    reason = f"the {earlier} turns before" if earlier > 1 else "the turn before"
                    found = [*(found or ()), Credit(0, len(played.action), before, term.label, reason)]
            weight = term.weight * term.schedule(progress) * share
            if found is None:
                continue
            due[term.label] = 0.0
            opened = [gate.opens(played) for gate in term.gates]  # all are asked, so that a misfit is always said
            if not all(opened):
                continue
            paid += [
                Credit(c.start, c.end, value, c.label, c.reason)
                for c in found
                if (value := weight * c.value) or c.end - c.start < len(played.action)
            ]
        return paid, due


class ComposedReward(ForkableWrapper[Any]):
    """Pays by a specification; see `RewardSpec`.

    A term of form pays once an episode, the mean over its turns, with the last turn; so playing on earns no more of it.
    A turn that could not be judged pays nothing by any term: `Unjudged` passes through, and so does a reward that is
    not a number. Schedules follow `set_progress`, from the next episode on. A limit on turns goes inside: what pays
    with the last turn has to see which one is the last.

    Args:
        env: Any environment of text turns, ours or anybody's.
        reward: What `RewardSpec.of` reads, such as `"correctness + 0.1*format[think] if correct"`.
        progress: Of training, to begin with.
    Raises:
        BadInput: If the specification cannot be read.
    """

    def __init__(self, env: gymnasium.Env[Any, Any], reward: Any = "env", progress: float = 0.0) -> None:
        super().__init__(env, reward=reward, progress=progress)
        self.composition = RewardSpec.of(reward)
        self._ledger = Ledger(self.composition)
        self.memory = {**Ledger.fresh(), "progress": 0.0, "now": 0.0, "observation": ""}
        self.set_progress(progress)
        self.memory["now"] = self.memory["progress"]

    def set_progress(self, progress: float) -> None:
        """How far training is, in [0, 1]; the running episode is still paid by the old one.

        Raises:
            BadInput: If it lies outside.
        """
        if isinstance(progress, bool) or not 0.0 <= progress <= 1.0:
            raise BadInput(f"progress lies in [0, 1], found {progress!r}")
        self.memory["progress"] = float(progress)

    def reset(self, *, seed: int | None = None, options: Info | None = None) -> tuple[Any, Info]:
        """Ask, with an empty ledger."""
        observation, info = self.env.reset(seed=seed, options=options)
        progress = self.memory["progress"]
        read = observation if isinstance(observation, str) else ""
        self.memory = {**Ledger.fresh(), "progress": progress, "now": progress, "observation": read}
        return observation, info

    def step(self, action: str) -> tuple[Any, float, bool, bool, Info]:
        """Play one action and pay for it.

        Raises:
            Unjudged: If the environment could not judge it, or a term failed.
            BadInput: If the specification needs a verdict and the environment ends without one.
        """
        observation, reward, terminated, truncated, info = self.env.step(action)
        own = float(reward)
        if "unjudged" in info or not math.isfinite(own):
            return observation, own, terminated, truncated, info
        memory, action = self.memory, str(action)
        memory["earned"] += own
        credits_ = own_credits(info.get("credits"), own, len(action))
        verdict = info.get("verdict")
        played = Played(
            action, memory["observation"], own, tuple(credits_), verdict if isinstance(verdict, Verdict) else None,
            bool(terminated or truncated), memory["earned"], info,
        )  # fmt: skip
        paid, due = self._ledger.turn(played, memory, memory["now"])
        memory["observation"] = observation if isinstance(observation, str) else ""
        value, terms = total(paid)
        unshaped = {"reward": own, "credits": credits_, "reward_terms": dict(total(credits_)[1])}
        info = {**info, "credits": paid, "reward_terms": due | dict(terms), "unshaped": unshaped}
        return observation, value, terminated, truncated, info


def set_progress(envs: Iterable[gymnasium.Env[Any, Any]], progress: float) -> None:
    """Tell environments how far training is, in [0, 1]; those that do not ask are left alone."""
    for env in envs:
        layer: Any = env
        while isinstance(layer, gymnasium.Wrapper):
            if isinstance(layer, ComposedReward):
                layer.set_progress(progress)
            layer = layer.env


def own_credits(given: Any, reward: float, length: int) -> list[Credit]:
    """The environment's credits; what they leave of its reward, all of it if there are none, is the whole action's."""
    found = [c for c in given if isinstance(c, Credit)] if isinstance(given, Sequence) else []
    rest = reward - total(found)[0]
    if abs(rest) > 1e-9 * max(1.0, abs(reward)):
        found.append(Credit(0, length, rest, "reward"))
    return found
