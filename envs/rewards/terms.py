"""What a term of a reward is, and the register of those that have a name.

A term is a function of one played turn. It answers with a number, which then belongs to the whole action, with credits
on spans of it, or with `None` where it has nothing to say. `catalogue.py` holds ours; `register` adds others.
"""

from __future__ import annotations

import difflib
import importlib
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from proofgym.errors import BadInput, ProofgymError, Unjudged
from proofgym.verifiers import Credit, Verdict

__all__ = ["PER", "Parameter", "Per", "Played", "TermFunction", "TermKind", "evaluate", "find", "kinds", "register"]

Per = Literal["turn", "episode", "end"]
"""When a term pays: every turn; once, the mean of the turns; once, for the last turn alone."""
PER: tuple[Per, ...] = get_args(Per)


@dataclass(frozen=True, slots=True)
class Played:
    """One turn as a term sees it.

    Args:
        action: What the policy wrote.
        observation: What it had read; empty where that is no text.
        reward, credits: What the environment itself pays for the turn.
        verdict: If the turn was judged, or the episode ended with it.
        over: Whether the episode ended with it.
        earned: What the environment itself has paid in the episode so far, this turn included.
        info: The environment's, for terms that know it.
    """

    action: str
    observation: str = ""
    reward: float = 0.0
    credits: tuple[Credit, ...] = ()
    verdict: Verdict | None = None
    over: bool = True
    earned: float = 0.0
    info: Mapping[str, Any] = field(default_factory=dict)


TermFunction = Callable[[Played], "float | Sequence[Credit] | None"]


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of a term: its name, what it is without being given, and what it means.

    A default of `None` means that it has to be given.
    """

    name: str
    default: Any
    meaning: str


@dataclass(frozen=True, slots=True)
class TermKind:
    """A term with a name.

    Args:
        name: As it is written in a specification.
        build: Called with the parameters; returns the term. It refuses bad ones with `BadInput`.
        summary: One sentence.
        parameters: The first one may be given without its name.
        bounds: Between which numbers its value lies, as a function of the parameters.
        per: When it pays, if the specification does not say.
        source: Paper and equation, or whose practice it is.
        farm: What earns by this term alone without solving anything, and what bounds it; empty if nothing does.
        judged: Whether its value comes from the environment's own judgement, so that there is nothing to farm.
        unsolved: The most that it pays an episode that is not correct, if that is less than its upper bound.
    """

    name: str
    build: Callable[..., TermFunction]
    summary: str
    parameters: tuple[Parameter, ...] = ()
    bounds: Callable[..., tuple[float, float]] = lambda **_: (0.0, 1.0)
    per: Per = "episode"
    source: str = ""
    farm: str = ""
    judged: bool = False
    unsolved: Callable[..., float] | None = None

    def complete(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """All parameters, with the defaults of those that are not given.

        Raises:
            BadInput: For a parameter that there is not, or one that is missing.
        """
        known = {parameter.name: parameter for parameter in self.parameters}
        for name in arguments:
            if name not in known:
                close = difflib.get_close_matches(name, known, n=1)
                there = f"did you mean {close[0]!r}?" if close else f"it has {', '.join(known) or 'none'}"
                raise BadInput(f"{self.name} has no parameter {name!r}; {there}")
        missing = [name for name, parameter in known.items() if parameter.default is None and name not in arguments]
        if missing:
            raise BadInput(f"{self.name} needs {missing[0]}: {known[missing[0]].meaning}")
        return {name: arguments.get(name, parameter.default) for name, parameter in known.items()}


_kinds: dict[str, TermKind] = {}


def register(kind: TermKind) -> TermKind:
    """Give a term a name, for this process; another process that reads the specification has to do it too.

    Raises:
        BadInput: If the name is taken by another term, or is no name.
    """
    if not (kind.name.isascii() and kind.name.isidentifier()) or kind.name in ("if", "and", "not", "as"):
        raise BadInput(f"a term's name is a word of letters, digits and _, found {kind.name!r}")
    if _kinds.get(kind.name, kind) is not kind:
        raise BadInput(f"there is a term {kind.name!r} already")
    _kinds[kind.name] = kind
    return kind


def kinds() -> list[TermKind]:
    """Every term that has a name, sorted by it."""
    importlib.import_module("proofgym.envs.rewards.catalogue")
    return [_kinds[name] for name in sorted(_kinds)]


def find(name: str) -> TermKind:
    """The term of a name, or of `module:function`, whose function is called with the turn and the parameters.

    Raises:
        BadInput: If there is none.
    """
    if ":" in name:
        return _imported(name)
    known = {kind.name: kind for kind in kinds()}
    if name not in known:
        close = difflib.get_close_matches(name, known, n=1)
        hint = f"did you mean {close[0]!r}?" if close else "`proofgym rewards` lists them"
        raise BadInput(f"no term {name!r}; {hint}")
    return known[name]


def evaluate(label: str, function: TermFunction, played: Played) -> list[Credit] | None:
    """Ask a term about a turn: credits under the term's label, or nothing.

    Raises:
        Unjudged: If the term fails or does not answer with finite numbers; the turn has no reward then.
    """
    try:
        found = function(played)
        if found is None:
            return None
        if isinstance(found, Sequence):
            return [Credit(c.start, c.end, c.value, label, c.reason) for c in found]
        value = float(found)
        if not math.isfinite(value):
            raise ValueError(f"its value is {value}")
    except ProofgymError:
        raise
    except Exception as error:
        raise Unjudged(f"the reward's term {label!r} failed ({type(error).__name__}: {error})") from error
    return [Credit(0, len(played.action), value, label)]


@dataclass(frozen=True, slots=True)
class _Bound:
    """A function with its parameters, which can be pickled if the function can."""

    function: Callable[..., Any]
    arguments: tuple[tuple[str, Any], ...]

    def __call__(self, played: Played) -> Any:
        return self.function(played, **dict(self.arguments))


@dataclass(frozen=True, slots=True)
class _Imported(TermKind):
    """A stranger's function: it takes the parameters that it takes."""

    def complete(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        return dict(arguments)


def bind(function: Callable[..., Any]) -> Callable[..., TermFunction]:
    """A builder for a function of a turn and parameters."""

    def build(**arguments: Any) -> TermFunction:
        return _Bound(function, tuple(arguments.items()))

    return build


def _imported(target: str) -> TermKind:
    module, _, name = target.partition(":")
    try:
        function = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError) as error:
        raise BadInput(f"the term {target!r} cannot be imported: {error}") from error
    if not callable(function):
        raise BadInput(f"the term {target!r} is a {type(function).__name__}, and has to be a function of a turn")
    return _Imported(target, bind(function), "", bounds=lambda **_: (-math.inf, math.inf), per="episode")
