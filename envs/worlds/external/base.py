"""What every wrapped engine shares: scores become credits, and a state is the list of commands that led to it.

An engine that answers the same commands with the same texts is restored, and so forked, by playing them again: exact,
and as slow as the commands are many. One that does not says so, and refuses.
"""

from __future__ import annotations

import copy
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from proofgym.envs.base import TurnResult, VerifiableEnv
from proofgym.errors import BadInput, NotForkable
from proofgym.verifiers import Credit, Verdict

__all__ = ["Engine", "ExternalWorld", "Said"]


@dataclass(frozen=True, slots=True)
class Said:
    """What an engine answered.

    Args:
        text: What the player reads.
        score: How far the task is done, in [0, 1]; below 0 where the engine punishes.
        done: Whether the engine ended the episode.
        won: Whether the task is done.
    """

    text: str
    score: float = 0.0
    done: bool = False
    won: bool = False


class Engine(ABC):
    """One running game of somebody's engine."""

    @abstractmethod
    def open(self) -> Said:
        """Start the game and return what is read first."""

    @abstractmethod
    def act(self, command: str) -> Said:
        """Give a command."""

    def commands(self) -> list[str] | None:
        """The commands that can be given now, where the engine lists them."""
        return None

    def gold(self) -> list[str] | None:
        """Commands that do the task from the start, where the engine knows some."""
        return None

    @abstractmethod
    def close(self) -> None:
        """End processes and free files."""


class ExternalWorld(VerifiableEnv):
    """A world of somebody's engine; see its subclasses.

    A command's reward is the change of the engine's score, which is 1 when the task is done.

    Raises:
        MissingExtra: If the engine's package is not installed.
    """

    floor: float = 0.2
    default_max_turns: ClassVar[int] = 50
    observation_limit: ClassVar[int] = 65_536
    deterministic: ClassVar[bool] = True
    """Whether the same commands always come to the same; without it there is no state to restore."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.require()
        self._engine: Engine | None = None
        self._given: list[str] = []
        self._score = 0.0

    @classmethod
    @abstractmethod
    def require(cls) -> None:
        """Import the engine's package, or name the extra that brings it."""

    @abstractmethod
    def engine(self, instance: Mapping[str, Any]) -> Engine:
        """The engine of an instance, not yet started.

        Raises:
            BadInput: If it is no instance of this engine.
        """

    @abstractmethod
    def generate(self, rng: np.random.Generator) -> Mapping[str, Any]: ...

    def begin(self, instance: Mapping[str, Any]) -> str:
        engine = self.engine(instance)
        self._shut()
        self._engine, self._given = engine, []
        said = engine.open()
        self._score = said.score
        return said.text[: self.observation_limit]

    def turn(self, action: str) -> TurnResult:
        engine = self._running()
        bare = action.rstrip()
        start, end = bare.rfind("\n") + 1, len(bare)
        while start < end and action[start].isspace():
            start += 1
        command = action[start:end].encode("ascii", "ignore").decode().replace("\x00", "")[:300]
        if not command.strip():
            return TurnResult("Write a command.", ())
        said = engine.act(command)
        self._given.append(command)
        credits_ = [Credit(start, end, said.score - self._score, "command")]
        self._score = said.score
        text = said.text[: self.observation_limit]
        if said.won:
            return TurnResult(text, credits_, Verdict.right("the engine says that the task is done"), terminated=True)
        if said.done:
            verdict = Verdict.partial(min(max(0.0, said.score), 1 - 1e-9), "the engine ended the episode")
            return TurnResult(text, credits_, verdict, terminated=True)
        return TurnResult(text, credits_)

    def save(self) -> dict[str, Any]:
        if not self.deterministic:
            raise NotForkable(f"{type(self).__name__} is not deterministic: its state cannot be taken or restored")
        return {"commands": list(self._given)}

    def load(self, data: Mapping[str, Any]) -> None:
        commands = data.get("commands")
        if not isinstance(commands, list) or not all(isinstance(command, str) for command in commands):
            raise BadInput(f"a state of {self.family} has a list of 'commands', found {commands!r:.80}")
        for command in commands:
            self._score = self._running().act(command).score
        self._given = list(commands)

    def fork(self) -> ExternalWorld:
        """A copy with an engine of its own, which plays the same commands again."""
        state = self.state()
        other = copy.copy(self)
        other._engine = None
        other.restore(state)
        return other

    def admissible(self) -> list[str] | None:
        """As the engine lists them."""
        return None if self._engine is None else self._engine.commands()

    def unfinished(self) -> Verdict:
        """Partial, by the engine's score."""
        score = min(max(0.0, self._score), 1 - 1e-9)
        return Verdict.partial(score, f"not done within {self.max_turns} commands", progress=self._score)

    def oracle(self) -> str:
        """The next command of the engine's own solution, while it is followed.

        Raises:
            BadInput: If the engine has none, or it was left.
        """
        gold = self._running().gold()
        if gold is None or self._given != gold[: len(self._given)] or len(self._given) >= len(gold):
            raise BadInput(f"{self.family} knows no solution from here")
        return gold[len(self._given)]

    def close(self) -> None:
        """End the engine."""
        self._shut()
        super().close()

    def _running(self) -> Engine:
        if self._engine is None:
            raise BadInput("no game is running: call reset() first")
        return self._engine

    def _shut(self) -> None:
        if self._engine is not None:
            self._engine.close()
            self._engine = None


def pick(rng: np.random.Generator, options: Sequence[Any]) -> Any:
    """One of some options."""
    return options[int(rng.integers(len(options)))]
