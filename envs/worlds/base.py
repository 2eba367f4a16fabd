"""What text worlds share: a world that answers commands, and the environment that pays for coming nearer its goal."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal, Protocol

from typing_extensions import Self

from proofgym.envs.base import TurnResult, VerifiableEnv
from proofgym.envs.tools import ActTool
from proofgym.errors import BadInput
from proofgym.verifiers import Credit, Verdict

__all__ = ["Pay", "World", "WorldEnv"]

Pay = Literal["potential", "sparse"]


class World(Protocol):
    """A deterministic world in one state."""

    @property
    def won(self) -> bool:
        """Whether the goal holds."""
        ...

    @property
    def lost(self) -> str:
        """Why the goal can never hold any more and the episode is over; empty while it goes on."""
        ...

    def welcome(self) -> str:
        """The first observation."""
        ...

    def map(self) -> str:
        """Everything as it is now, as text for people; it shows what the player does not see."""
        ...

    def step(self, command: str) -> str:
        """Carry out a command and say what happened. Total: a command that does nothing is answered too."""
        ...

    def admissible(self) -> Sequence[str]:
        """Every command that does or tells something, in a fixed order."""
        ...

    def copy(self) -> Self:
        """An independent twin."""
        ...

    def state(self) -> dict[str, Any]:
        """Everything that changes, as JSON content."""
        ...

    def restore(self, data: Any) -> None:
        """Take up a state that `state` wrote.

        Raises:
            BadInput: If it is no state of this world.
        """
        ...

    def plan(self) -> list[str] | None:
        """Commands that reach the goal from here, knowing everything; empty if it holds, `None` if there are none."""
        ...


def _text(value: Any) -> bool:
    return isinstance(value, str)


class WorldEnv(ActTool, VerifiableEnv):
    """A text world played one command a turn; see its subclasses.

    The potential is 1 - d / d0, where d is the length of the shortest plan to the goal that is known (found here, or
    what is left of the one that is being followed) and d0 that at the start; it never falls below -1, and is -1 where
    the goal cannot be reached any more. A command's reward is the change of the potential, so
    an episode earns 1.0 when the goal is reached, and no detour pays. With `pay="sparse"` only the goal pays, 1.0.

    Args:
        pay: `potential` or `sparse`.
    Raises:
        BadInput: For an unknown pay.
    """

    observation_limit: ClassVar[int] = 16_384
    last_line: bool = True
    """Whether the command is the last line of the action, or all of it."""

    def __init__(self, *, pay: Pay = "potential", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if pay not in ("potential", "sparse"):
            raise BadInput(f"pay is 'potential' or 'sparse', found {pay!r}")
        self.pay: Pay = pay
        self._world: Any = None
        self._first: Any = None
        self._instance: Mapping[str, Any] | None = None
        self._from_start = 1
        self._plan: list[str] | None = []

    @abstractmethod
    def build(self, instance: Mapping[str, Any]) -> World:
        """The world of an instance, in its first state.

        Raises:
            BadInput: If it is no instance of this family.
        """

    def begin(self, instance: Mapping[str, Any]) -> str:
        self._world = self.first(instance).copy()
        self._plan = self._world.plan()
        return str(self._world.welcome())

    def turn(self, action: str) -> TurnResult:
        command, start, end = self._command(action)
        before, expected, known = self.potential(), self.oracle(), self._plan
        state = self._world.state()
        said = self.carry_out(command)
        if self._world.state() != state:
            self._plan = self._world.plan()
            if known and command == expected and (self._plan is None or len(self._plan) >= len(known)):
                self._plan = known[1:]  # what was planned still works, and is shorter than what was found now
        won, lost = self._world.won, self._world.lost
        value = float(won) if self.pay == "sparse" else self.potential() - before
        credits_ = [Credit(start, end, value, "command")] if end > start else []
        if won:
            return TurnResult(said, credits_, Verdict.right("the goal is reached"), terminated=True)
        if lost:
            return TurnResult(said, credits_, Verdict.wrong(lost), terminated=True)
        return TurnResult(said, credits_)

    def carry_out(self, command: str) -> str:
        """Give a command to the world."""
        return str(self._world.step(command))

    def save(self) -> dict[str, Any]:
        return {"world": self._world.state(), "plan": None if self._plan is None else list(self._plan)}

    def load(self, data: Mapping[str, Any]) -> None:
        plan = data.get("plan", ())
        if "world" not in data or not (plan is None or (isinstance(plan, list) and all(map(_text, plan)))):
            raise BadInput(f"a state of {self.family} has a 'world' and a 'plan', found {sorted(map(str, data))}")
        self._world.restore(data["world"])
        self._plan = plan

    def potential(self) -> float:
        """0 at the start, 1 at the goal, never below -1."""
        return -1.0 if self._plan is None else max(-1.0, 1.0 - len(self._plan) / self._from_start)

    def admissible(self) -> list[str]:
        """Every command that does or tells something."""
        return list(self._world.admissible())

    def render(self) -> str | None:
        """The whole world as text, for people, when the render mode is `ansi`."""
        if self.render_mode != "ansi" or self._world is None:
            return super().render()
        return str(self._world.map())

    def unfinished(self) -> Verdict:
        """Partial, by how near the goal is."""
        near = self.potential()
        reason = f"the goal is not reached within {self.max_turns} commands"
        return Verdict.partial(min(max(0.0, near), 1 - 1e-9), reason, progress=near)

    def oracle(self) -> str:
        """The next command of a plan that knows everything."""
        return self._plan[0] if self._plan else "look"

    def cheats(self) -> Sequence[str]:
        return (
            *super().cheats(), self._observation, "look", "inventory", "help", "done", "win", "quit", "restart",
            "look\nlook", "xyzzy", "take all", "go", "open", "\u202e", "look; look",
        )  # fmt: skip

    def first(self, instance: Any) -> Any:
        """The world of an instance in its first state; the last one is kept.

        Raises:
            BadInput: If the instance is none of this family, or there is nothing to ask.
        """
        if self._first is None or (self._instance is not instance and self._instance != instance):
            world = self.build(instance)
            if world.won:
                raise BadInput("the goal of this instance holds already: there is nothing to ask")
            found = world.plan()
            if found is None:
                raise BadInput("the goal of this instance cannot be reached")
            self._first, self._instance, self._from_start = world, instance, len(found)
        return self._first

    def _command(self, action: str) -> tuple[str, int, int]:
        """The command in an action, and its place."""
        start, end = 0, len(action)
        if self.last_line:
            bare = action.rstrip()
            start, end = bare.rfind("\n") + 1, len(bare)
        while start < end and action[start].isspace():
            start += 1
        while start < end and action[end - 1].isspace():
            end -= 1
        return action[start:end], start, end
