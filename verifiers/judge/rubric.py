"""Rubrics: what a judge is asked, as criteria with weights and scales, written in YAML.

A criterion has a scale of whole numbers, each with the words that describe it. A filled rubric is one number for every
criterion; its score is their weighted mean, each brought to [0, 1]. The bottom of a required criterion makes the
whole answer wrong.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from proofgym.errors import BadInput
from proofgym.verifiers.verdict import Status, Verdict

__all__ = ["SHIPPED", "Criterion", "Rubric", "load"]

_FOLDER = Path(__file__).parent / "rubrics"
_NAME = re.compile(r"[a-z][a-z0-9_]{0,30}")
SHIPPED: tuple[str, ...] = ("answer-equivalence", "explanation", "proof")
"""The rubrics that come along, by name."""


@dataclass(frozen=True, slots=True)
class Criterion:
    """One question of a rubric.

    Args:
        name: Lower-case letters, digits and underscores; it becomes a part of the verdict.
        description: What a high mark stands for.
        scale: From each mark, a whole number, to the words that describe it; at least two marks.
        weight: Its share of the score, relative to the others; 0 reports the mark without counting it.
        required: Whether the lowest mark makes the whole answer wrong.
    Raises:
        BadInput: For a name, scale or weight that cannot be used.
    """

    name: str
    description: str
    scale: Mapping[int, str]
    weight: float = 1.0
    required: bool = False

    def __post_init__(self) -> None:
        """Refuse what could not be asked or counted."""
        if not _NAME.fullmatch(self.name):
            raise BadInput(f"a criterion's name is a lower-case word such as 'same', found {self.name!r}")
        if not 2 <= len(self.scale) <= 11 or not all(type(mark) is int and abs(mark) <= 100 for mark in self.scale):
            raise BadInput(f"criterion {self.name!r} needs 2 to 11 whole marks, found {list(self.scale)}")
        if not (math.isfinite(self.weight) and self.weight >= 0):
            raise BadInput(f"criterion {self.name!r} needs a weight of 0 or more, found {self.weight}")

    def share(self, mark: int) -> float:
        """A mark brought to [0, 1].

        >>> Criterion("clear", "", {1: "no", 3: "so so", 5: "yes"}).share(3)
        0.5
        """
        low, high = min(self.scale), max(self.scale)
        return (mark - low) / (high - low)


@dataclass(frozen=True, slots=True)
class Rubric:
    """What a judge is asked about an answer, and how its marks become a verdict.

    Args:
        name: For logs and for the cache.
        task: What the judge is to do, in one or two sentences.
        criteria: At least one, at least one of positive weight.
        pass_mark: The score in (0, 1] from which an answer is correct; below it is partial, at 0 wrong.
        evidence: Whether the judge has to quote the candidate's final answer. A mark whose quote is not in the
            candidate's text does not count.
        needs_reference: Whether there is nothing to judge without a reference answer.
    Raises:
        BadInput: For criteria or a pass mark that cannot be used.
    """

    name: str
    task: str
    criteria: tuple[Criterion, ...]
    pass_mark: float = 1.0
    evidence: bool = False
    needs_reference: bool = False

    def __post_init__(self) -> None:
        """Refuse a rubric that decides nothing."""
        names = [criterion.name for criterion in self.criteria]
        if not names or len(set(names)) != len(names) or len(names) > 20:
            raise BadInput(f"a rubric has 1 to 20 criteria of different names, found {names}")
        if math.fsum(criterion.weight for criterion in self.criteria) <= 0:
            raise BadInput(f"rubric {self.name!r}: every weight is 0, so no mark counts")
        if not 0 < self.pass_mark <= 1:
            raise BadInput(f"rubric {self.name!r}: the pass mark lies in (0, 1], found {self.pass_mark}")

    def score(self, marks: Mapping[str, int]) -> float:
        """The weighted mean of the marks, or 0 if a required criterion is at its bottom."""
        if any(criterion.required and criterion.share(marks[criterion.name]) == 0 for criterion in self.criteria):
            return 0.0
        weights = math.fsum(criterion.weight for criterion in self.criteria)
        summed = math.fsum(criterion.weight * criterion.share(marks[criterion.name]) for criterion in self.criteria)
        return min(1.0, summed / weights)

    def verdict(self, marks: Mapping[str, int], reason: str, **parts: float) -> Verdict:
        """What the marks come to; every criterion is a part, in [0, 1]."""
        shares = {criterion.name: criterion.share(marks[criterion.name]) for criterion in self.criteria} | parts
        score = self.score(marks)
        if score >= self.pass_mark - 1e-9:
            return Verdict(Status.CORRECT, 1.0, reason, shares)
        return Verdict.partial(score, reason, **shares)

    def schema(self, token: str | None = None) -> dict[str, Any]:
        """The JSON schema of a reply, in the order in which a judge should think: critique first, marks last.

        Args:
            token: What the reply has to repeat, so that it cannot be a copy of something in the candidate's text.
        """
        text = {"type": "string"}
        marks = {c.name: {"type": "integer", "enum": sorted(c.scale)} for c in self.criteria}
        fault = {
            "type": "object",
            "properties": {"quote": text, "why": text},
            "required": ["quote", "why"],
            "additionalProperties": False,
        }
        properties: dict[str, Any] = {"call": {"type": "string", "enum": [token]}} if token is not None else {}
        properties["critique"] = text
        if self.evidence:
            properties["final_answer"] = text
        properties["faults"] = {"type": "array", "items": fault, "maxItems": 8}
        properties["scores"] = {
            "type": "object",
            "properties": marks,
            "required": list(marks),
            "additionalProperties": False,
        }
        return {
            "type": "object",
            "properties": properties,
            "required": list(properties),
            "additionalProperties": False,
        }

    @classmethod
    def from_dict(cls, data: Any, where: str = "the rubric") -> Rubric:
        """Read what stands in a rubric's file.

        Raises:
            BadInput: For unknown keys, missing ones, or values that cannot be used.
        """
        known = {"name", "task", "criteria", "pass_mark", "evidence", "needs_reference"}
        if not isinstance(data, dict) or not isinstance(data.get("criteria"), list):
            raise BadInput(f"{where} is a mapping with a list of criteria; see the shipped ones")
        unknown = sorted(set(map(str, data)) - known)
        if unknown:
            raise BadInput(f"{where} has the unknown key {unknown[0]!r}; known are {', '.join(sorted(known))}")
        try:
            criteria = tuple(Criterion(**row) for row in data["criteria"])
            return cls(**{**data, "name": str(data["name"]), "task": str(data["task"]), "criteria": criteria})
        except KeyError as error:
            raise BadInput(f"{where} lacks {error}") from error
        except (TypeError, AttributeError) as error:
            raise BadInput(
                f"{where}: a criterion has name, description, scale, weight and required ({error})"
            ) from error


def load(source: str | Path) -> Rubric:
    """A shipped rubric by its name, or one from a YAML file.

    Raises:
        BadInput: If there is no such rubric, or it cannot be used.

    >>> [criterion.name for criterion in load("answer-equivalence").criteria]
    ['same']
    """
    import yaml

    path = _FOLDER / f"{source}.yaml" if str(source) in SHIPPED else Path(source)
    try:
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"no rubric {str(source)!r}: shipped are {', '.join(SHIPPED)}; or name a YAML file") from error
    except yaml.YAMLError as error:
        raise BadInput(f"{path} is no YAML: {error}") from error
    return Rubric.from_dict(data, str(source))
