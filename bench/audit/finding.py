"""What an audit found: one finding a check, with its figure and a recipe that repeats a failure."""

from __future__ import annotations

import enum
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

__all__ = ["AuditReport", "Finding", "NotApplicable", "Outcome", "Raised", "Recipe", "failed", "passed", "unclear"]

_SHOWN = 200  # characters of one action in a printed recipe; JSON holds it whole


class Outcome(str, enum.Enum):
    """What a check came to."""

    PASS = "pass"  # noqa: S105
    FAIL = "fail"
    UNCLEAR = "unclear"  # nothing speaks against the claim, and too few episodes were played to support it
    NOT_APPLICABLE = "n.a."  # it could not be asked here; the figure says why


class NotApplicable(Exception):
    """Raised by a check that this environment gives no way to make; the message says why."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """The shortest known way to see a failure again.

    Args:
        target: An id, or `file.py:name`.
        kwargs: What it is made with.
        seed, index: Which item is asked; none where the failure is not about one.
        actions: What is played then.
        note: What to look at.
    """

    target: str
    kwargs: Mapping[str, Any] = field(default_factory=dict)
    seed: int | None = None
    index: int | None = None
    actions: tuple[str, ...] = ()
    note: str = ""

    def code(self) -> str:
        """Python to paste; long actions are cut short, and JSON holds them whole.

        >>> print(Recipe("proofgym/Sudoku4-v0", {"level": 0.2}, 3, 1, ("Answer: 1",), "earns 1.0").code())
        env = proofgym.make('proofgym/Sudoku4-v0', level=0.2)
        reset_item(env, seed=3, index=1)
        env.step('Answer: 1')
        # earns 1.0
        """
        arguments = "".join(f", {key}={value!r}" for key, value in self.kwargs.items())
        if ".py:" in self.target:
            path, _, name = self.target.rpartition(":")
            lines = [f"env = runpy.run_path({path!r})[{name!r}]({arguments[2:]})"]
        else:
            maker = "gymnasium" if ":" in self.target else "proofgym"
            lines = [f"env = {maker}.make({self.target!r}{arguments})"]
        if self.seed is not None:
            lines.append(f"reset_item(env, seed={self.seed}, index={self.index or 0})")
        for action in self.actions:
            cut = f"  # the first {_SHOWN} of {len(action)} characters" if _cut(action) else ""
            lines.append(f"env.step({_short(action)}){cut}")
        return "\n".join([*lines, f"# {self.note}"] if self.note else lines)

    def to_json(self) -> dict[str, Any]:
        """A plain dictionary."""
        return {
            "target": self.target, "kwargs": dict(self.kwargs), "seed": self.seed, "index": self.index,
            "actions": list(self.actions), "note": self.note,
        }  # fmt: skip

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Recipe:
        """Read what `to_json` wrote."""
        return cls(**{**data, "actions": tuple(data["actions"])})


def _cut(action: str) -> bool:
    return len(action) > _SHOWN and len(set(action)) > 1


def _short(action: str) -> str:
    if len(action) > _SHOWN and not _cut(action):
        return f"{action[0]!r} * {len(action)}"
    return repr(action[:_SHOWN])


class Raised(Exception):
    """The environment raised what it should not have; carries the recipe."""

    def __init__(self, error: BaseException, recipe: Recipe) -> None:
        super().__init__(f"{type(error).__name__}: {error}"[:300])
        self.recipe = recipe


@dataclass(frozen=True, slots=True)
class Finding:
    """One check's outcome.

    Args:
        check: The name of the claim, such as `floor`.
        outcome: See `Outcome`.
        figure: The measured figure in one line; for `n.a.` the reason.
        recipe: How to see a failure again.
        details: More figures, as JSON content.
    """

    check: str
    outcome: Outcome
    figure: str
    recipe: Recipe | None = None
    details: Mapping[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """A plain dictionary."""
        data: dict[str, Any] = {"check": self.check, "outcome": self.outcome.value, "figure": self.figure}
        if self.recipe is not None:
            data["recipe"] = self.recipe.to_json()
        if self.details:
            data["details"] = dict(self.details)
        return data

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Finding:
        """Read what `to_json` wrote."""
        recipe = Recipe.from_json(data["recipe"]) if data.get("recipe") else None
        return cls(data["check"], Outcome(data["outcome"]), data["figure"], recipe, data.get("details", {}))


def passed(check: str, figure: str, **details: Any) -> Finding:
    """The claim held wherever it was tried."""
    return Finding(check, Outcome.PASS, figure, None, details)


def failed(check: str, figure: str, recipe: Recipe | None = None, **details: Any) -> Finding:
    """The claim does not hold."""
    return Finding(check, Outcome.FAIL, figure, recipe, details)


def unclear(check: str, figure: str, **details: Any) -> Finding:
    """The claim was not contradicted, and not supported either."""
    return Finding(check, Outcome.UNCLEAR, figure, None, details)


@dataclass(frozen=True, slots=True)
class AuditReport:
    """Everything one audit found.

    Args:
        target: What was audited: an id, `file.py:name`, or a reward function.
        kwargs: What it was made with.
        depth: `quick`, `default` or `thorough`.
        seed: Where the audit's own chance came from.
        findings: One a check, in a fixed order.
        cpu_s: Processor seconds of this process.
        versions: Of Python, proofgym and Gymnasium.
    """

    target: str
    kwargs: Mapping[str, Any]
    depth: str
    seed: int
    findings: Sequence[Finding]
    cpu_s: float = 0.0
    versions: Mapping[str, str] = field(default_factory=dict)

    def of(self, outcome: Outcome | str) -> list[Finding]:
        """The findings with one outcome."""
        return [finding for finding in self.findings if finding.outcome == Outcome(outcome)]

    def __getitem__(self, check: str) -> Finding:
        """The finding of a check by its name."""
        for finding in self.findings:
            if finding.check == check:
                return finding
        raise KeyError(check)

    @property
    def passed(self) -> bool:
        """Whether nothing failed and at least one check could be made."""
        return not self.of(Outcome.FAIL) and bool(self.of(Outcome.PASS))

    @property
    def skipped(self) -> bool:
        """Whether no check at all could be made here."""
        return all(finding.outcome is Outcome.NOT_APPLICABLE for finding in self.findings)

    @property
    def exit_code(self) -> int:
        """0 if nothing failed, 1 if something did."""
        return 1 if self.of(Outcome.FAIL) else 0

    def summary(self) -> str:
        """The counts in one line."""
        counts = {outcome: len(self.of(outcome)) for outcome in Outcome}
        parts = [f"{counts[Outcome.PASS]} passed"]
        parts += [f"{counts[o]} {word}" for o, word in _WORDS.items() if counts[o]]
        return ", ".join(parts)

    def to_json(self) -> dict[str, Any]:
        """A plain dictionary that `from_json` reads back."""
        return {
            "audit": 1, "target": self.target, "kwargs": dict(self.kwargs), "depth": self.depth, "seed": self.seed,
            "passed": self.passed, "findings": [finding.to_json() for finding in self.findings],
            "cpu_s": round(self.cpu_s, 3), "versions": dict(self.versions),
        }  # fmt: skip

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> AuditReport:
        """Read what `to_json` wrote."""
        findings = [Finding.from_json(entry) for entry in data["findings"]]
        return cls(
            data["target"], data["kwargs"], data["depth"], data["seed"], findings, data["cpu_s"], data["versions"]
        )

    def dumps(self) -> str:
        """`to_json` as text."""
        return json.dumps(self.to_json(), indent=2, ensure_ascii=True)


_WORDS = {Outcome.FAIL: "failed", Outcome.UNCLEAR: "unclear", Outcome.NOT_APPLICABLE: "not applicable"}
