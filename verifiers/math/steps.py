"""Checks a derivation step by step, and pays on the characters of each step.

A derivation is cut into formulas (`segments`). Each is parsed by the same grammar as answers and compared with what
stands before it, the formulas of the problem first:

- arithmetic (`48/2 = 24`) has to be true;
- an expression, or the next side of a chain, has to equal the one before it;
- an equation has to hold wherever the earlier ones do: the same solutions, or implied; values found before count;
- an inequality has to hold wherever the one before it does; a list of solutions has to lack none;
- what only gives a name, supposes a case, or cannot be read is not checkable, and earns and costs nothing.

The first step that does not follow breaks the chain: what comes after it may follow locally, and earns nothing.
"""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass
from typing import Literal

from proofgym.verifiers.credit import Credit
from proofgym.verifiers.math.answer import verify
from proofgym.verifiers.math.parser import parse
from proofgym.verifiers.math.policy import STRICT, MathPolicy
from proofgym.verifiers.math.reading import unwrap
from proofgym.verifiers.math.segments import Segment, segments
from proofgym.verifiers.math.tree import Node, Unreadable, dumps
from proofgym.verifiers.verdict import Verdict

__all__ = ["Step", "check_steps", "grade", "judge_steps"]

_MAX_CHARS = 50_000
_WHY = {"case": "it is supposed", "name": "it gives a name", "unclear": "the words before it change what it says"}

Judgement = Literal["follows", "does not follow", "not checkable"]


@dataclass(frozen=True, slots=True)
class Step:
    """One formula of a derivation, judged.

    Args:
        start, end: Its characters.
        judgement: Whether it follows from what stands before it.
        reason: Why, in a sentence.
        new: Whether it says something that had not been said; what repeats earns nothing.
    """

    start: int
    end: int
    judgement: Judgement
    reason: str
    new: bool = True


def check_steps(problem: str, derivation: str, *, policy: MathPolicy = STRICT) -> list[Credit]:
    """Judge each step of a derivation.

    Returns:
        One credit for each formula. A step that follows earns 1 / n, where n counts the checkable steps that say
        something new, until the first step that does not follow; all else earns 0. A sound derivation sums to 1.

    >>> credits = check_steps("Solve 2x + 3 = 7.", "2x = 4\\nx = 3")
    >>> [(credit.value, credit.reason.partition(":")[0]) for credit in credits]
    [(0.5, 'follows'), (0.0, 'does not follow')]
    """
    return _credits(judge_steps(problem, derivation, policy=policy))


def judge_steps(problem: str, derivation: str, *, policy: MathPolicy = STRICT) -> list[Step]:
    """The judgement on each formula of a derivation, without pay."""
    chain = _Chain(problem[:_MAX_CHARS], policy)
    return [chain.step(segment) for segment in segments(derivation[:_MAX_CHARS])]


def grade(problem: str, derivation: str, gold: str, *, policy: MathPolicy = STRICT) -> tuple[Verdict, list[Credit]]:
    """Judge the final answer and the way to it.

    Returns:
        `correct` for the right answer at the end of a sound chain; `partial` with 0.5 for the right answer after a
        broken one; otherwise the verdict on the answer. Parts: `answer`, `sound` (no step fails to follow), `steps`
        (the sum of the credits).
    Raises:
        Unjudged: If the gold answer cannot be read.
    """
    verdict = verify(gold, derivation, policy=policy)
    steps = judge_steps(problem, derivation, policy=policy)
    credits_ = _credits(steps)
    broken = next((step for step in steps if step.judgement == "does not follow"), None)
    parts = {
        "answer": float(verdict.correct), "sound": float(broken is None),
        "steps": sum(credit.value for credit in credits_)
    }  # fmt: skip
    if verdict.correct and broken is not None:
        said = derivation[broken.start : broken.end][:60]
        return Verdict.partial(
            0.5, f"the right answer, but {said!r} does not follow: {broken.reason}", **parts
        ), credits_
    return Verdict(verdict.status, verdict.score, verdict.reason, parts), credits_


def _credits(steps: list[Step]) -> list[Credit]:
    counted = [step for step in steps if step.new and step.judgement != "not checkable"]
    sound = True
    credits_ = []
    for step in steps:
        sound = sound and step.judgement != "does not follow"
        pays = sound and step.new and step.judgement == "follows"
        reason = f"{step.judgement}: {step.reason}" + (
            "" if sound or step.judgement == "does not follow" else ", after a break"
        )
        credits_.append(Credit(step.start, step.end, 1.0 / len(counted) if pays else 0.0, "step", reason))
    return credits_


class _Chain:
    """What has been said so far."""

    def __init__(self, problem: str, policy: MathPolicy) -> None:
        self.policy = policy
        self.deadline = time.monotonic() + policy.derivation_s
        self.facts: list[Node] = []
        self.seen: set[str] = set()
        self.case_at: int | None = None  # how many facts there were before the current case
        for segment in segments(problem, expressions=True):
            node = _parsed(segment.text)
            if node is not None:
                self._remember(node)

    def step(self, segment: Segment) -> Step:
        """Judge one formula and remember it."""
        start, end = segment.start, segment.end
        text = segment.text.strip()
        continued = text.startswith("=")
        node = _parsed(text.lstrip("= \t"))
        if node is None:
            return Step(start, end, "not checkable", "it cannot be read")
        if node.key() in self.seen or _trivial(node):
            return Step(start, end, "follows", "it repeats", new=False)
        if segment.assumed and (not continued or segment.assumed == "unclear"):
            if segment.assumed == "case":
                self._open_case()
            if segment.assumed != "unclear":
                self._remember(node)
            return Step(start, end, "not checkable", _WHY[segment.assumed])
        if node.op in ("sym", "const", "text") or (node.op == "num" and not continued and not segment.alone):
            return Step(start, end, "not checkable", "a name or a number alone")
        judgement, reason = self._ask(node)
        if judgement == "does not follow":  # go on from what it says, so that the next step is judged by itself
            self.facts = [fact for fact in self.facts if not (fact.names() & node.names())]
        self._remember(node)
        return Step(start, end, judgement, reason)

    def _open_case(self) -> None:
        if self.case_at is not None:
            self.facts = self.facts[: self.case_at]
        self.case_at = len(self.facts)

    def _remember(self, node: Node) -> None:
        self.seen.add(node.key())
        if not node.names():  # of sums without unknowns only the last can be gone on from
            self.facts = [fact for fact in self.facts if fact.names()]
        if node.op == "rel" and set(node.value.split(",")) == {"="} and len(node.args) > 2:
            self.facts.append(Node("rel", (node.args[0], node.args[-1]), "="))
        elif node.op in ("list", "and") and len(node.names()) > 1 and all(arg.op == "rel" for arg in node.args):
            self.facts += node.args
        else:
            self.facts.append(node)

    def _ask(self, node: Node) -> tuple[Judgement, str]:
        from proofgym.verifiers.math.workers import POOL

        facts = self.facts if len(self.facts) <= 12 else [*self.facts[:4], *self.facts[-8:]]
        request = {
            "task": "step",
            "gold": dumps(Node("list", tuple(facts))),
            "answer": dumps(node),
            "policy": asdict(self.policy),
        }  # fmt: skip
        left = self.deadline - time.monotonic()
        if left <= 0.0:
            return "not checkable", "the time for this derivation is used up"
        try:
            reply = POOL.ask(request, min(self.policy.budget_s, left))
        except RecursionError:
            return "not checkable", "it nests too deep"
        kinds: dict[str, Judgement] = {"follows": "follows", "breaks": "does not follow"}
        return kinds.get(str(reply.get("kind")), "not checkable"), str(reply.get("why", ""))


def _parsed(text: str) -> Node | None:
    try:
        return parse(unwrap(text))
    except (Unreadable, RecursionError):
        return None


def _trivial(node: Node) -> bool:
    """Whether it says nothing: both sides are written alike."""
    return node.op == "rel" and len({arg.key() for arg in node.args}) == 1
