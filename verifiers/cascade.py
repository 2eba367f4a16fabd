"""A cascade of verifiers: the cheap and certain first, the dear and doubtful last.

Each stage says a verdict or *cannot tell*, and the first verdict counts. *Cannot tell* is a value of its own: it hands
the answer on to the next stage. It is not `Unjudged`, which a stage raises when it broke; the next stage is asked then
as well, and the fault is counted. If no stage has a verdict, the answer is unjudged.

On a sample of answers, drawn by their content, the stages behind the deciding one are asked too. Their disagreement
shows what rules miss or judges invent; it never changes the verdict.

Source: rules before models as in "TinyV" (Xu et al. 2025, arXiv:2505.14625) and "Pitfalls of Rule- and Model-based
Verifiers" (Huang et al. 2025, arXiv:2505.22203).
"""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from proofgym.errors import BadInput, Unjudged
from proofgym.verifiers.credit import Credit
from proofgym.verifiers.verdict import Verdict

if TYPE_CHECKING:
    from proofgym.verifiers.judge.judge import BoundJudge, Judge

__all__ = [
    "BoundCascade",
    "CannotTell",
    "Cascade",
    "CascadeReport",
    "Cost",
    "JudgeStage",
    "RuleStage",
    "Stage",
    "StageReport",
    "standard",
]


@dataclass(frozen=True, slots=True)
class CannotTell:
    """What a stage says about an answer that it has no means to decide; the next stage is asked."""

    reason: str = ""


@dataclass(frozen=True, slots=True)
class Cost:
    """What asking a stage took, besides its time."""

    calls: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0


class Stage(Protocol):
    """One verifier of a cascade."""

    @property
    def name(self) -> str:
        """In the report."""
        ...

    def ask(self, question: str, reference: str | None, answer: str) -> tuple[Verdict | CannotTell, Cost]:
        """Judge one answer, or say that it cannot be told here.

        Raises:
            Unjudged: If the stage broke. A `cost` attribute of the exception is counted.
        """
        ...


@dataclass(frozen=True, slots=True)
class RuleStage:
    """A stage from a function of reference and answer that returns `None` where it cannot tell.

    >>> from proofgym.verifiers.judge.rules import plain
    >>> RuleStage("rules", plain).ask("Which river?", "the Oder", "It is the Oder river.")[0]
    CannotTell(reason='rules cannot tell')
    """

    name: str
    rule: Callable[[str, str], Verdict | None]

    def ask(self, question: str, reference: str | None, answer: str) -> tuple[Verdict | CannotTell, Cost]:
        if reference is None:
            return CannotTell("there is no reference"), Cost()
        verdict = self.rule(reference, answer)
        return (verdict if verdict is not None else CannotTell(f"{self.name} cannot tell")), Cost()


class JudgeStage:
    """A judge model as the last stage; its own rules are left to the stages before it.

    Args:
        judge: See `proofgym.verifiers.judge.Judge`.
        name: In the report.
    """

    def __init__(self, judge: Judge, name: str = "judge") -> None:
        from dataclasses import replace

        from proofgym.verifiers.judge.judge import Judge

        config = replace(judge.config, defences=replace(judge.config.defences, rules=False))
        self.name, self._judge = name, Judge(judge.model, judge.rubric, config)
        self._bound: dict[tuple[str, str | None], BoundJudge] = {}
        self._lock = threading.Lock()

    def ask(self, question: str, reference: str | None, answer: str) -> tuple[Verdict | CannotTell, Cost]:
        from proofgym.verifiers.judge.judge import Undecided

        if reference is None and self._judge.rubric.needs_reference:
            return CannotTell(f"the rubric {self._judge.rubric.name} needs a reference"), Cost()
        try:
            found = self._bind(question, reference).examine(answer)
        except Undecided as error:
            error.cost = _cost(error.calls, error.usage)  # type: ignore[attr-defined]
            raise
        return found.verdict, _cost(found.calls, found.usage)

    def credits(self, question: str, reference: str | None, answer: str) -> list[Credit]:
        """The judge's credits, which sum to its verdict's score; what was just judged is not asked again."""
        return self._bind(question, reference).credits(answer)

    def _bind(self, question: str, reference: str | None) -> BoundJudge:
        """A bound judge remembers its last answers, and this stage its last questions."""
        with self._lock:
            bound = self._bound.pop((question, reference), None) or self._judge.bind(question, reference)
            self._bound[question, reference] = bound
            if len(self._bound) > 64:
                self._bound.pop(next(iter(self._bound)))
            return bound


@dataclass(slots=True)
class StageReport:
    """What one stage did.

    Args:
        name: Of the stage.
        asked: How often, audits included.
        decided: Verdicts that counted.
        passed_on: Times it could not tell.
        faults: Times it broke.
        audited: Verdicts given on answers that an earlier stage had decided.
        disagreed: How many of those differ from the verdict that counted, correct against not correct.
        calls, prompt_tokens, completion_tokens: Model requests and their tokens.
        seconds: Of wall time.
    """

    name: str
    asked: int = 0
    decided: int = 0
    passed_on: int = 0
    faults: int = 0
    audited: int = 0
    disagreed: int = 0
    calls: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class CascadeReport:
    """What a cascade did: its stages, how many answers there were, and how many stayed unjudged.

    Args:
        stages: In order.
        answers: Judged or not.
        unjudged: No stage had a verdict.
        disagreements: For a deciding stage and an audited later one: how many of their verdicts differ, of how many.
    """

    stages: tuple[StageReport, ...]
    answers: int
    unjudged: int
    disagreements: dict[tuple[str, str], tuple[int, int]] = field(default_factory=dict)

    def share(self, name: str) -> float:
        """The share of answers that a stage decided."""
        return next(stage.decided for stage in self.stages if stage.name == name) / max(1, self.answers)

    def to_json(self) -> dict[str, Any]:
        """A plain dictionary for logs."""
        from dataclasses import asdict

        return {
            "answers": self.answers, "unjudged": self.unjudged, "stages": [asdict(stage) for stage in self.stages],
            "disagreements": [[*pair, *counts] for pair, counts in self.disagreements.items()],
        }  # fmt: skip

    def __str__(self) -> str:
        lines = [f"{'stage':<10} {'share':>6} {'asked':>6} {'calls':>6} {'tokens':>8} {'seconds':>8} {'disagree':>9}"]
        for stage in self.stages:
            tokens = stage.prompt_tokens + stage.completion_tokens
            differs = f"{stage.disagreed}/{stage.audited}" if stage.audited else "-"
            lines.append(
                f"{stage.name:<10} {self.share(stage.name):>6.1%} {stage.asked:>6} {stage.calls:>6} {tokens:>8} "
                f"{stage.seconds:>8.2f} {differs:>9}"
            )
        return "\n".join([*lines, f"{self.answers} answers, {self.unjudged} unjudged"])


class Cascade:
    """Asks its stages in order until one has a verdict, and keeps the books.

    Args:
        stages: At least one, of different names.
        audit: The share of answers, in [0, 1], on which the later stages are asked too.
        seed: Of the choice of those answers.
    Raises:
        BadInput: For no stages, two of one name, or a share outside [0, 1].
    """

    def __init__(self, stages: Sequence[Stage], *, audit: float = 0.0, seed: int = 0) -> None:
        names = [stage.name for stage in stages]
        if not names or len(set(names)) != len(names):
            raise BadInput(f"a cascade has at least one stage, each of its own name, found {names}")
        if not 0.0 <= audit <= 1.0:
            raise BadInput(f"the audited share lies in [0, 1], found {audit}")
        self.stages, self.audit, self.seed = tuple(stages), audit, seed
        self._lock = threading.Lock()
        self._books = {name: StageReport(name) for name in names}
        self._pairs: dict[tuple[str, str], tuple[int, int]] = {}
        self._answers = self._unjudged = 0

    def bind(self, question: str, reference: str | None = None) -> BoundCascade:
        """This cascade for one question: a `Verifier`."""
        return BoundCascade(self, question, reference)

    def verify(self, question: str, reference: str | None, answer: str) -> Verdict:
        """Judge one answer.

        Raises:
            Unjudged: If no stage has a verdict; the message gives each one's reason.
        """
        return self.decide(question, reference, answer)[0]

    def decide(self, question: str, reference: str | None, answer: str) -> tuple[Verdict, Stage]:
        """The verdict and the stage that gave it; see `verify`."""
        said: list[str] = []
        decided: tuple[Verdict, Stage] | None = None
        for stage in self.stages:
            if decided is not None and not self._audited(question, reference, answer):
                break
            found = self._ask(stage, question, reference, answer, said)
            if not isinstance(found, Verdict):
                continue
            with self._lock:
                if decided is None:
                    decided = found, stage
                    self._books[stage.name].decided += 1
                else:
                    differs = int(found.correct != decided[0].correct)
                    book, pair = self._books[stage.name], (decided[1].name, stage.name)
                    book.audited += 1
                    book.disagreed += differs
                    wrong, of = self._pairs.get(pair, (0, 0))
                    self._pairs[pair] = wrong + differs, of + 1
        with self._lock:
            self._answers += 1
            self._unjudged += decided is None
        if decided is None:
            raise Unjudged("no stage could tell: " + "; ".join(said))
        return decided

    def report(self) -> CascadeReport:
        """The books so far."""
        from dataclasses import replace

        with self._lock:
            stages = tuple(replace(book) for book in self._books.values())
            return CascadeReport(stages, self._answers, self._unjudged, dict(self._pairs))

    # Inside -----------------------------------------------------------------------------------------------------------

    def _ask(
        self, stage: Stage, question: str, reference: str | None, answer: str, said: list[str]
    ) -> Verdict | CannotTell | None:
        begun = time.perf_counter()
        found: Verdict | CannotTell | None = None
        cost = Cost()
        try:
            found, cost = stage.ask(question, reference, answer)
        except Unjudged as error:
            cost = getattr(error, "cost", cost)
            said.append(f"{stage.name} broke ({error})")
        if isinstance(found, CannotTell):
            said.append(f"{stage.name}: {found.reason}")
        with self._lock:
            book = self._books[stage.name]
            book.asked += 1
            book.passed_on += isinstance(found, CannotTell)
            book.faults += found is None
            book.calls += cost.calls
            book.prompt_tokens += cost.prompt_tokens
            book.completion_tokens += cost.completion_tokens
            book.seconds += time.perf_counter() - begun
        return found

    def _audited(self, question: str, reference: str | None, answer: str) -> bool:
        content = "\x00".join((str(self.seed), question, reference or "", answer)).encode("utf-8", "surrogatepass")
        return int.from_bytes(hashlib.sha256(content).digest()[:8], "big") < self.audit * 2**64


class BoundCascade:
    """A cascade bound to one question: `verify`, and `credits` where the deciding stage has them."""

    def __init__(self, cascade: Cascade, question: str, reference: str | None) -> None:
        self.cascade, self.question, self.reference = cascade, question, reference

    def verify(self, answer: str) -> Verdict:
        """Judge one answer; see `Cascade.verify`."""
        return self.cascade.verify(self.question, self.reference, answer)

    def credits(self, answer: str) -> list[Credit]:
        """The judge's credits where the judge decided, else the score on the whole answer; the sum is the score.

        This is a judgement of its own in the books; `judge` gives verdict and credits of one.
        """
        return self.judge(answer)[1]

    def judge(self, answer: str) -> tuple[Verdict, list[Credit]]:
        """The verdict and its credits, from one judgement."""
        verdict, stage = self.cascade.decide(self.question, self.reference, answer)
        if isinstance(stage, JudgeStage):
            return verdict, stage.credits(self.question, self.reference, answer)
        return verdict, [Credit(0, len(answer), verdict.score, stage.name, verdict.reason)]


def standard(judge: Judge | None = None, *, audit: float = 0.0, seed: int = 0) -> Cascade:
    """Rules first, symbolic mathematics next, and the judge last, if there is one.

    >>> standard().verify("What is a half of 1?", "1/2", "The answer is 0.5.").correct
    True
    """
    from proofgym.verifiers.judge import rules

    stages: list[Stage] = [RuleStage("rules", rules.plain), RuleStage("symbolic", rules.symbolic)]
    if judge is not None:
        stages.append(JudgeStage(judge))
    return Cascade(stages, audit=audit, seed=seed)


def _cost(calls: int, usage: Any) -> Cost:
    return Cost(calls, usage.prompt_tokens, usage.completion_tokens)
