"""A reward declared as data: named terms, each with a weight, a gate, a schedule and a time to pay.

Written as one line (see `grammar.py`), as YAML, or built of `Term`s; each form reads back what another wrote.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from proofgym.envs.rewards.schedules import Schedule
from proofgym.envs.rewards.terms import PER, Per, Played, TermFunction, TermKind, find
from proofgym.errors import BadInput

__all__ = ["OPERATORS", "Gate", "RewardSpec", "Term"]

OPERATORS: dict[str, Callable[[float, float], bool]] = {
    ">=": lambda a, b: a >= b, "<=": lambda a, b: a <= b, ">": lambda a, b: a > b, "<": lambda a, b: a < b,
}  # fmt: skip
_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(?:[./:][A-Za-z0-9_]+)*")  # what needs no quotes, as grammar.py reads it
_FLAGS = ("correct", "readable")
_QUANTITIES = ("score", "reward")


@dataclass(frozen=True, slots=True)
class Gate:
    """A condition on how the turn or the episode was judged.

    Args:
        name: `correct`, `readable` (neither malformed nor past a limit), `score`, `reward` (what the environment itself
            has paid so far), or `part.NAME` of the verdict.
        operator, value: For the last three, what the number has to be.
        negated: Whether the condition must not hold.
    Raises:
        BadInput: For another name, or an operator where there is nothing to compare.
    """

    name: str
    operator: str = ""
    value: float = 0.0
    negated: bool = False

    def __post_init__(self) -> None:
        """Refuse what could not be looked up."""
        if self.name in _FLAGS:
            if self.operator:
                raise BadInput(f"the gate {self.name!r} is true or false and is compared with nothing")
        elif self.name in _QUANTITIES or (self.name.startswith("part.") and len(self.name) > 5):
            if self.operator not in OPERATORS:
                raise BadInput(f"the gate {self.name!r} is a number: compare it, as in {self.name} >= 1")
            if not math.isfinite(self.value):
                raise BadInput(f"the gate {self.name!r} is compared with a finite number, found {self.value}")
        else:
            known = ", ".join((*_FLAGS, *_QUANTITIES))
            raise BadInput(f"a gate looks at {known} or part.NAME, found {self.name!r}")

    def opens(self, played: Played) -> bool:
        """Whether it lets a turn's terms pay. A verdict that is still to come lets nothing through.

        Raises:
            BadInput: If the episode is over without a verdict and the gate needs one.
        """
        if self.name == "reward":
            return OPERATORS[self.operator](played.earned, self.value) is not self.negated
        verdict = played.verdict
        if verdict is None:
            if played.over:
                raise BadInput(f"this environment ends without a verdict, so the gate {self} has nothing to look at; "
                               "gate by `reward >= 1` or the like")  # fmt: skip
            return False
        if self.name == "correct":
            held = verdict.correct
        elif self.name == "readable":
            held = verdict.status.value not in ("malformed", "limit")
        else:
            number = verdict.score if self.name == "score" else verdict.parts.get(self.name[5:], 0.0)
            held = OPERATORS[self.operator](number, self.value)
        return held is not self.negated

    def __str__(self) -> str:
        compared = f" {self.operator} {_number(self.value)}" if self.operator else ""
        return f"{'not ' if self.negated else ''}{self.name}{compared}"

    @property
    def needs_correct(self) -> bool:
        """Whether it is shut for every episode that is not correct."""
        if self.negated:
            return False
        return self.name == "correct" or (self.name == "score" and self.operator == ">=" and self.value >= 1.0)


@dataclass(frozen=True, slots=True)
class Term:
    """One term of a reward.

    Args:
        name: Of a registered term, or `module:function`; with `function` any name.
        arguments: Its parameters.
        weight: Reward units for a value of 1.
        gates: All have to be open.
        schedule: Multiplies the weight as training goes on.
        per: When it pays; the term's own way if `None`.
        label: Under which it stands in `info["reward_terms"]`; its name, with its first parameter, if empty.
        function: A callable instead of a registered term. It can be pickled if the callable can, and not written down.
    Raises:
        BadInput: For an unknown term, a bad parameter, a weight that is not finite, or a penalty turned into pay.
    """

    name: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    weight: float = 1.0
    gates: tuple[Gate, ...] = ()
    schedule: Schedule = Schedule()  # noqa: RUF009 - frozen
    per: Per | None = None
    label: str = ""
    function: TermFunction | None = None

    def __post_init__(self) -> None:
        """Build it once, so that a mistake is found where it is written."""
        if not math.isfinite(self.weight):
            raise BadInput(f"a weight is a finite number, found {self.weight}")
        if self.per is not None and self.per not in PER:
            raise BadInput(f"per is one of {', '.join(PER)}, found {self.per!r}")
        kind = self.kind
        given = kind.complete(self.arguments)
        kind.build(**given)
        if kind.bounds(**given)[1] <= 0.0 and min(self._weights()) < 0.0:
            raise BadInput(
                f"{self.name} is a penalty, at most 0: a weight below 0 would pay for what it punishes; add it"
            )
        if not self.label:
            first = given.get(kind.parameters[0].name) if kind.parameters else None
            named = isinstance(first, str) and kind.parameters[0].default is None
            object.__setattr__(self, "label", f"{self.name}.{first}" if named else self.name.rpartition(":")[2])

    @property
    def kind(self) -> TermKind:
        """What is registered under its name."""
        if self.function is not None:
            function = self.function
            return TermKind(self.name, lambda: function, "", bounds=lambda **_: (-math.inf, math.inf))
        return find(self.name)

    @property
    def pays_per(self) -> Per:
        """When it pays."""
        return self.per or self.kind.per

    @property
    def bounds(self) -> tuple[float, float]:
        """Between which numbers it pays, weight and schedule included; for `per="turn"`, each turn."""
        low, high = self.kind.bounds(**self.kind.complete(self.arguments))
        ends = [_times(w, value) for w in self._weights() for value in (low, high)]
        if self.gates:
            ends.append(0.0)
        return min(ends), max(ends)

    @property
    def unsolved(self) -> float:
        """The most that it pays an episode that is not correct, weight and schedule included; each turn if so paid.

        Of what the environment judges itself, a partial score for instance, nothing is counted: that is earned.
        """
        kind = self.kind
        if kind.judged or any(gate.needs_correct for gate in self.gates):
            return 0.0
        given = kind.complete(self.arguments)
        low, high = kind.bounds(**given)
        if kind.unsolved is not None:
            high = kind.unsolved(**given)
        most = max(_times(w, value) for w in self._weights() for value in (low, high))
        return max(0.0, most) if self.gates else most

    def build(self) -> TermFunction:
        """The function of a turn."""
        return self.kind.build(**self.kind.complete(self.arguments))

    def _weights(self) -> tuple[float, ...]:
        if self.schedule.kind == "constant":
            return (self.weight * self.schedule.start,)
        return self.weight * self.schedule.start, self.weight * self.schedule.end

    def __str__(self) -> str:
        first = self.kind.parameters[0].name if self.kind.parameters else None
        given = [_argument(key, value, bare=key == first) for key, value in self.arguments.items()]
        given.sort(key=lambda text: "=" in text)
        if self.per is not None:
            given.append(f"per={self.per}")
        text = f"{_number(self.weight)}*{self.name}" + (f"[{', '.join(given)}]" if given else "")
        if self.schedule != Schedule():
            s = self.schedule
            text += f"@{s.kind}({', '.join(map(_number, (s.start, s.end, s.begin, s.until)))})"
        if self.label != replace(self, label="").label:
            text += f" as {self.label}"
        return f"({text} if {' and '.join(map(str, self.gates))})" if self.gates else text

    def to_json(self) -> dict[str, Any]:
        """A plain dictionary, as `RewardSpec.from_json` reads it.

        Raises:
            BadInput: If the term is a callable, which cannot be written down.
        """
        if self.function is not None:
            raise BadInput(f"the term {self.label!r} is a callable and cannot be written down; name it module:function")
        found: dict[str, Any] = {"term": self.name, **self.arguments, "weight": self.weight}
        if self.gates:
            found["if"] = " and ".join(map(str, self.gates))
        if self.schedule != Schedule():
            found["schedule"] = self.schedule.to_json()
        if self.per is not None:
            found["per"] = self.per
        return found | {"as": self.label}


@dataclass(frozen=True, slots=True)
class RewardSpec:
    """What an episode pays: a sum of terms.

    Raises:
        BadInput: If there are no terms, or two of one label.

    >>> spec = RewardSpec.parse("correctness + 0.1*format[think] if correct")
    >>> print(spec)
    (1*correctness if correct) + (0.1*format[think] if correct)
    >>> [term.label for term in spec.terms]
    ['correctness', 'format.think']
    """

    terms: tuple[Term, ...]

    def __post_init__(self) -> None:
        """Labels are the names in `info["reward_terms"]`: each belongs to one term."""
        if not self.terms:
            raise BadInput("a reward needs at least one term; `env` is what the environment itself pays")
        labels = [term.label for term in self.terms]
        twice = next((label for n, label in enumerate(labels) if label in labels[:n]), None)
        if twice is not None:
            raise BadInput(
                f"two terms are called {twice!r}; give one another name, as in `{twice.split('.')[0]}[...] as other`"
            )

    @classmethod
    def of(cls, what: Any) -> RewardSpec:
        """Read a specification in any form: text, a path to YAML, a mapping or list as YAML gives, terms, a callable.

        Raises:
            BadInput: If it is none.
        """
        if isinstance(what, RewardSpec):
            return what
        if isinstance(what, Path) or (isinstance(what, str) and what.endswith((".yaml", ".yml")) and "\n" not in what):
            return cls.load(what)
        if isinstance(what, str):
            return cls.parse(what)
        if isinstance(what, Term):
            return cls((what,))
        if isinstance(what, Sequence) and what and all(isinstance(term, Term) for term in what):
            return cls(tuple(what))
        if isinstance(what, (Mapping, Sequence)):
            return cls.from_json(what)
        if callable(what):
            return cls((Term(getattr(what, "__name__", "reward"), function=what),))
        raise BadInput(f"a reward is text, terms, or a callable, found {type(what).__name__}")

    @classmethod
    def parse(cls, text: str) -> RewardSpec:
        """Read one line, as in `correctness + 0.1*format[think] if correct`; see `grammar.py`."""
        from proofgym.envs.rewards.grammar import parse

        return cls(tuple(parse(text)))

    @classmethod
    def load(cls, path: str | Path) -> RewardSpec:
        """Read a YAML file: a list of terms, or a mapping with the key `terms`, or one line of text."""
        import yaml

        try:
            content = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
        except (OSError, yaml.YAMLError) as error:
            raise BadInput(f"the reward {str(path)!r} cannot be read: {error}") from None
        return cls.parse(content) if isinstance(content, str) else cls.from_json(content)

    @classmethod
    def from_json(cls, content: Any) -> RewardSpec:
        """Read a list of terms, each as text or as a mapping such as `{term: format, kind: think, weight: 0.1}`."""
        if isinstance(content, Mapping):
            if set(content) != {"terms"}:
                raise BadInput(f"a reward is a list under the key 'terms', found the keys {sorted(map(str, content))}")
            content = content["terms"]
        if not isinstance(content, (list, tuple)):
            raise BadInput(f"a reward is a list of terms, found {type(content).__name__}")
        return cls(tuple(term for entry in content for term in _terms(entry)))

    def to_json(self) -> list[dict[str, Any]]:
        """Plain data that `from_json` reads back."""
        return [term.to_json() for term in self.terms]

    @property
    def unsolved(self) -> float:
        """The most that an episode of one turn earns without being correct, by terms that judge form and not content.

        What it says is the whole of what a policy can farm by form: keep it below what a right answer brings.
        """
        return math.fsum(term.unsolved for term in self.terms)

    def __str__(self) -> str:
        return " + ".join(map(str, self.terms))


def _terms(entry: Any) -> Iterator[Term]:
    from proofgym.envs.rewards.grammar import parse, parse_gates

    if isinstance(entry, str):
        yield from parse(entry)
        return
    if not (isinstance(entry, Mapping) and isinstance(entry.get("term"), str)):
        raise BadInput(f"a term is text, or a mapping with the key 'term', found {entry!r:.80}")
    given = {str(key): value for key, value in entry.items()}
    gates = given.pop("if", "")
    schedule = given.pop("schedule", {})
    weight = given.pop("weight", 1.0)
    if isinstance(weight, bool) or not isinstance(weight, (int, float)):
        raise BadInput(f"a weight is a number, found {weight!r}")
    try:
        followed = Schedule(**schedule)
    except TypeError:
        raise BadInput(f"a schedule has kind, start, end, begin and until, found {schedule!r:.80}") from None
    yield Term(
        given.pop("term"), label=str(given.pop("as", "")), per=given.pop("per", None), weight=float(weight),
        gates=tuple(parse_gates(str(gates))) if gates else (), schedule=followed,
        arguments={key: tuple(value) if isinstance(value, list) else value for key, value in given.items()},
    )  # fmt: skip


def _number(value: float) -> str:
    return f"{value:.0f}" if value == int(value) and abs(value) < 1e15 else repr(float(value))


def _times(weight: float, value: float) -> float:
    return 0.0 if weight == 0.0 else weight * value


def _argument(key: str, value: Any, *, bare: bool) -> str:
    if isinstance(value, (list, tuple)):
        written = "|".join(_value(part) for part in value) + ("|" if len(value) == 1 else "")
    else:
        written = _value(value)
    return written if bare else f"{key}={written}"


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return repr(value)
    text = str(value)
    if _WORD.fullmatch(text) and text not in ("true", "false"):
        return text
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
