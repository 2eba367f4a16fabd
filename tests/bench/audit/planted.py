"""Environments and reward functions with one defect each, for the audit to find; and honest ones, for it to pass.

The file is run by name in other processes too, so it stands on its own.
"""

from __future__ import annotations

import os
import re
import time
from typing import Any

import gymnasium
import numpy as np

from proofgym.envs.base import TurnResult, VerifiableEnv
from proofgym.envs.spaces import AnyText
from proofgym.envs.task import Task, fingerprint
from proofgym.errors import Unjudged
from proofgym.verifiers import Credit, Verdict


class Sums(VerifiableEnv):
    """Honest, one turn: asks for a sum of two numbers. Observation: it. Action: `Answer: n`. Episode: one turn."""

    family = "planted_sums"
    floor = 0.03

    def generate(self, rng: np.random.Generator) -> dict[str, Any]:
        return {"a": int(rng.integers(100, 10_000)), "b": int(rng.integers(100, 10_000))}

    def begin(self, instance: Any) -> str:
        self._sum = instance["a"] + instance["b"]
        return f"A mill grinds {instance['a']} bags and then {instance['b']} more. How many is that together?"

    def judge(self, action: str) -> Verdict:
        found = re.fullmatch(r"Answer: (\d{1,12})", action.strip(), re.ASCII)
        right = found is not None and int(found[1]) == self._sum
        return Verdict.right() if right else Verdict.wrong("no")

    def turn(self, action: str) -> TurnResult:
        verdict = self.judge(action)
        return TurnResult("", [Credit(0, len(action), verdict.score, "answer")], verdict, terminated=True)

    def save(self) -> dict[str, Any]:
        return {}

    def load(self, data: Any) -> None:
        pass

    def oracle(self) -> str:
        return f"Answer: {self._sum}"


class Line(VerifiableEnv):
    """Honest, many turns: walk to a post, paid by how much nearer one comes."""

    family = "planted_line"
    floor = 0.5
    default_max_turns = 30

    def generate(self, rng: np.random.Generator) -> dict[str, Any]:
        goal = int(rng.integers(4, 9)) * (1 if rng.random() < 0.5 else -1)
        return {"goal": goal, "name": int(rng.integers(10**6))}

    def begin(self, instance: Any) -> str:
        self.goal, self.at = instance["goal"], 0
        return self.told()

    def told(self) -> str:
        return f"Walk east or west. Post {self.task.instance['name']} stands at {self.goal}; you are at {self.at}."

    def turn(self, action: str) -> TurnResult:
        before = self.potential()
        step = {"east": 1, "west": -1}.get(action.strip(), 0)
        self.at = max(-9, min(9, self.at + step))
        pay = self.pay(before, action)
        verdict = Verdict.right() if self.at == self.goal else None
        credits_ = [Credit(0, len(action), pay, "move")]
        return TurnResult(self.told(), credits_, verdict, terminated=verdict is not None)

    def pay(self, before: float, action: str) -> float:
        return self.potential() - before

    def potential(self) -> float:
        return 1.0 - abs(self.goal - self.at) / abs(self.goal)

    def admissible(self) -> list[str]:
        return ["east", "west"]

    def save(self) -> dict[str, Any]:
        return {"at": self.at}

    def load(self, data: Any) -> None:
        self.at = int(data["at"])

    def oracle(self) -> str:
        return "east" if self.goal > self.at else "west"


# One defect each ------------------------------------------------------------------------------------------------------


class WrongOracle(Sums):
    """The expert is wrong about every second task."""

    def oracle(self) -> str:
        return f"Answer: {self._sum + (self._sum % 2)}"


class LowFloor(Sums):
    """Says that chance earns nothing, and asks for the parity."""

    floor = 0.0

    def begin(self, instance: Any) -> str:
        asked = super().begin(instance)
        return asked.replace("How many is that together?", "Is that odd, 1, or even, 0?")

    def judge(self, action: str) -> Verdict:
        right = action.strip() in (str(self._sum % 2), self.oracle())
        return Verdict.right() if right else Verdict.wrong("no")

    def oracle(self) -> str:
        return f"Answer: {self._sum % 2}"


class PaysCheats(Sums):
    """Pays for the word."""

    def judge(self, action: str) -> Verdict:
        return Verdict.right() if "correct" in action else super().judge(action)


class PaysForgery(Sums):
    """Believes whoever says that he is the grader."""

    def judge(self, action: str) -> Verdict:
        return Verdict.right() if "[[GRADER]]" in action else super().judge(action)


class Lists(Sums):
    """Pays whenever the right number is among those that are named."""

    def judge(self, action: str) -> Verdict:
        found = re.findall(r"\d{1,12}", action, re.ASCII)
        return Verdict.right() if str(self._sum) in found else Verdict.wrong("no")


class Crashes(Sums):
    """Cannot read digits of other scripts."""

    def judge(self, action: str) -> Verdict:
        if len(action) > 3000 and "(" in action:
            raise RecursionError("too deep")
        return super().judge(action)


class Slow(Sums):
    """Takes long over a long run of equal signs."""

    def judge(self, action: str) -> Verdict:
        if action.startswith("===="):
            until = time.process_time() + 0.4
            while time.process_time() < until:
                pass
        return super().judge(action)


class Unseeded(Sums):
    """Draws from the process's own chance."""

    def generate(self, rng: np.random.Generator) -> dict[str, Any]:
        return super().generate(np.random.default_rng())


class HashOrder(Sums):
    """Draws in the order of a set."""

    def generate(self, rng: np.random.Generator) -> dict[str, Any]:
        drawn = super().generate(rng)
        word = next(iter({f"word {k}" for k in range(50)}))
        return {**drawn, "a": drawn["a"] + int(word[5:]) * 100_000}


class HashVerifier(Sums):
    """Judges by the hash of the text: repeatable within a process only."""

    floor = 1.0

    def judge(self, action: str) -> Verdict:
        return Verdict.right() if action == self.oracle() or hash(action) % 2 else Verdict.wrong("no")

    def cheats(self) -> list[str]:
        return []


class ThreadVerifier(Sums):
    """Judges in the main thread only, and says wrong elsewhere, as a swallowed alarm does."""

    def judge(self, action: str) -> Verdict:
        import threading

        if threading.current_thread() is not threading.main_thread():
            return Verdict.wrong("signal only works in the main thread")
        return super().judge(action)


class SharedFork(Line):
    """A fork shares what its original keeps in a list."""

    def begin(self, instance: Any) -> str:
        self.visited: list[int] = getattr(self, "visited", [])
        self.visited.clear()
        return super().begin(instance)

    def turn(self, action: str) -> TurnResult:
        result = super().turn(action)
        self.visited.append(self.at)
        return result

    def save(self) -> dict[str, Any]:
        return {"at": self.at, "visited": list(self.visited)}

    def load(self, data: Any) -> None:
        super().load(data)
        self.visited[:] = data["visited"]


class Forgets(Line):
    """Its state leaves out where one stands."""

    def save(self) -> dict[str, Any]:
        return {}

    def load(self, data: Any) -> None:
        pass


class Tuples(Line):
    """Its state holds a tuple as a key, which is no JSON."""

    def save(self) -> dict[str, Any]:
        return {"at": self.at, "seen": {(0, 1): 2}}


class OneList(Sums):
    """Items of neighbouring seeds are one list, shifted by one."""

    def generate(self, rng: np.random.Generator) -> dict[str, Any]:
        return super().generate(np.random.default_rng((self._item_seed or 0) + self._item_index))

    def _draw(self) -> Task:
        return self._as_task(self.generate(self.np_random))


class SplitsMeet(Sums):
    """The split is a label only: all splits ask the same tasks."""

    def _draw(self) -> Task:
        return self._as_task(self.generate(self.np_random))

    def _as_task(self, instance: Any) -> Task:
        return Task(self.family, instance, fingerprint(self.family, instance), 0.5)

    def _info(self, credits_: Any, verdict: Any) -> dict[str, Any]:
        info = super()._info(credits_, verdict)
        info["task"]["split"] = self.split
        return info


class NearTwins(Sums):
    """A task's number decides its split and changes one letter: held-out tasks are training tasks, nearly."""

    def generate(self, rng: np.random.Generator) -> dict[str, Any]:
        k = int(np.random.default_rng([self._item_index]).integers(10**9))
        return {"a": 100 + k % 9973, "b": 100 + k % 8999, "salt": int(rng.integers(10**9))}

    def begin(self, instance: Any) -> str:
        words = np.random.default_rng([instance["a"], instance["b"]])
        names = [f"{''.join(chr(97 + c) for c in words.integers(26, size=9))}" for _ in range(30)]
        told = super().begin(instance)
        return f"{told} Of them {' '.join(names)} are told. Number {instance['salt']}."


class LeakInText(Sums):
    """Shows the answer as a hint."""

    def begin(self, instance: Any) -> str:
        return f"{super().begin(instance)} (hint: {self._sum})"


class LeakInInfo(Sums):
    """Tells the answer in info."""

    def _info(self, credits_: Any, verdict: Any) -> dict[str, Any]:
        return {**super()._info(credits_, verdict), "metadata": {"gold": str(self._sum)}}


class Farm(Line):
    """Pays every step east that comes nearer, and takes nothing back on the way west."""

    def pay(self, before: float, action: str) -> float:
        return max(0.0, self.potential() - before)


class Overpays(Line):
    """Pays more than the potential changes, and loses it again on the way back, so no cycle shows it."""

    def pay(self, before: float, action: str) -> float:
        return 2.0 * (self.potential() - before)


class ScoredFault(Sums):
    """A grader that broke is a wrong answer."""

    def step(self, action: str) -> Any:
        try:
            return super().step(action)
        except Unjudged:
            return "", 0.0, True, False, self._info((), None)


class SwallowedFault(Sums):
    """The same, one level down: what the judge raises is a wrong answer."""

    def turn(self, action: str) -> TurnResult:
        try:
            verdict = self.judge(action)
        except Exception:
            verdict = Verdict.wrong("the grader failed")
        return TurnResult("", [Credit(0, len(action), verdict.score, "answer")], verdict, terminated=True)


class NotNumbers(Sums):
    """Pays not-a-number for an empty answer."""

    def step(self, action: str) -> Any:
        observation, reward, terminated, truncated, info = super().step(action)
        return observation, reward if action else float("nan"), terminated, truncated, info


class PaysTwice(Sums):
    """The reward is not what its credits sum to."""

    def step(self, action: str) -> Any:
        observation, reward, terminated, truncated, info = super().step(action)
        return observation, 2.0 * reward, terminated, truncated, info


class NoSpace(Sums):
    """Observations lie outside the stated space."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.observation_space = AnyText(5)


# Somebody else's ------------------------------------------------------------------------------------------------------


class Foreign(gymnasium.Env[str, str]):
    """A Gymnasium environment without oracle, floor, state or splits. Item i of seed s is s + i."""

    shift = 1

    def __init__(self) -> None:
        self.observation_space, self.action_space = AnyText(200), AnyText(10_000)
        self._next = 0

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[str, dict[str, Any]]:
        super().reset(seed=seed)
        self._next = seed if seed is not None else self._next + self.shift
        drawn = np.random.default_rng(self._next)
        self._a, self._b = (int(n) for n in drawn.integers(100, 10_000, size=2))
        return f"{self._a} + {self._b} = ?", {}

    def score(self, action: str) -> float:
        return float(action.strip() == str(self._a + self._b))

    def step(self, action: str) -> Any:
        return "", self.score(action), True, False, {}


class ForeignSafe(Foreign):
    """The same with distant items."""

    shift = 1_000_003


class ForeignZero(ForeignSafe):
    """Swallows what its scorer raises."""

    def step(self, action: str) -> Any:
        try:
            reward = self.score(action)
        except Exception:
            reward = 0.0
        return "", reward, True, False, {}


class ForeignHole(ForeignSafe):
    """Compares the truth of texts."""

    def score(self, action: str) -> float:
        return float(bool(action))


class Dies(Sums):
    """Takes its process with it."""

    def begin(self, instance: Any) -> str:
        os._exit(3)


# Reward functions -----------------------------------------------------------------------------------------------------


def honest(prompt: str, completion: str, answer: str) -> float:
    return float(completion.strip() == f"Answer: {answer}")


def contains(prompt: str, completion: str, answer: str) -> float:
    return float(answer in completion)


def truthy(prompt: str, completion: str) -> float:
    return float(bool(completion))


def believes(prompt: str, completion: str, answer: str) -> float:
    return 1.0 if "score" in completion.lower() else honest(prompt, completion, answer)


def crashes(prompt: str, completion: str, answer: str) -> float:
    int(completion) if completion.isdigit() else None
    return honest(prompt, completion, answer)


def hangs(prompt: str, completion: str, answer: str) -> float:
    while completion.startswith("((((("):
        pass
    return honest(prompt, completion, answer)


def hashed(prompt: str, completion: str, answer: str) -> float:
    return honest(prompt, completion, answer) or float(hash(completion) % 7 == 3) / 10


def threads(prompt: str, completion: str, answer: str) -> float:
    import signal

    try:
        signal.signal(signal.SIGUSR1, signal.SIG_DFL)
    except ValueError:
        return 0.0
    return honest(prompt, completion, answer)


def unbounded(prompt: str, completion: str, answer: str) -> float:
    return honest(prompt, completion, answer) * 5.0


def not_a_number(prompt: str, completion: str, answer: str) -> float:
    return float("nan") if not completion else honest(prompt, completion, answer)


def nothing(prompt: str, completion: str) -> None:
    return None


def batched(prompts: list[str], completions: list[str], answer: list[str], **_: Any) -> list[float]:
    return [honest(p, c, a) for p, c, a in zip(prompts, completions, answer, strict=True)]
