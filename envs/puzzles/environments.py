"""The two environments around a puzzle family: one answer, or one move a turn.

`proofgym.envs.puzzles.environments:Sudoku` and `:SudokuSteps` are made from the table of families when they are asked
for, so that a family is one module and one line of the table.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from proofgym.envs.base import TurnResult, VerifiableEnv
from proofgym.envs.puzzles.answers import tidy
from proofgym.envs.puzzles.contract import Illegal, Knobs, MovePuzzle, Puzzle
from proofgym.envs.puzzles.families import FAMILIES, load
from proofgym.envs.tools import ActTool
from proofgym.errors import BadInput
from proofgym.verifiers import Credit, Verdict
from proofgym.verifiers.math.numeric import lines

__all__ = ["PuzzleEnv", "PuzzleSteps", "environment"]


class PuzzleEnv(VerifiableEnv):
    """Asks one puzzle and judges one answer by the rules.

    Observation: the rules, the instance, and how to write the answer.
    Action: anything, and then the answer, after `Answer:` or alone at the end.
    Episode: one turn, always terminated, never truncated.

    Args:
        knobs: Knobs of the family to set by hand, such as `{"size": 9}`; the level sets the others.
    Raises:
        BadInput: For a knob that the family has not, or a value out of its range.
    """

    puzzle_class: ClassVar[type[Puzzle]]

    def __init__(self, *, knobs: Knobs | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.knobs: dict[str, Any] = dict(knobs or {})
        self._settings = self.puzzle_class.settings(self.level, self.knobs)
        self._puzzle: Puzzle | None = None

    def set_level(self, level: float) -> None:
        """Draw from this level on, beginning with the next item."""
        super().set_level(level)
        self._settings = self.puzzle_class.settings(self.level, self.knobs)

    @property
    def puzzle(self) -> Puzzle:
        """The instance of the running episode."""
        return self._of(self.task.instance)

    def generate(self, rng: np.random.Generator) -> Mapping[str, Any]:
        self._puzzle = self.puzzle_class.generate(rng, self._settings)
        return self._puzzle.data

    def canonical(self, instance: Mapping[str, Any]) -> Any:
        return self._of(instance).canonical()

    def begin(self, instance: Mapping[str, Any]) -> str:
        return self._of(instance).question()

    def turn(self, action: str) -> TurnResult:
        verdict, credits_ = self.puzzle.grade(action)
        return TurnResult("", credits_, verdict, terminated=True)

    def save(self) -> dict[str, Any]:
        return {}

    def load(self, data: Mapping[str, Any]) -> None:
        pass

    def oracle(self) -> str:
        return f"Answer: {self.puzzle.solution()}" if self.puzzle.answer_lines() == 1 else self.puzzle.solution()

    def cheats(self) -> Sequence[str]:
        return (*super().cheats(), self._observation, "Answer:", *self.puzzle.cheats())

    def _of(self, instance: Any) -> Puzzle:
        """The puzzle of an instance; the last one is kept, with all that was worked out about it.

        Compared as text, since True equals 1 and an instance with the one in the place of the other is none.
        """
        if self._puzzle is None or (self._puzzle.data is not instance and repr(self._puzzle.data) != repr(instance)):
            self._puzzle = self.puzzle_class.from_instance(instance)
        return self._puzzle


class PuzzleSteps(ActTool, PuzzleEnv):
    """Asks one move of a puzzle a turn, and pays each by how much nearer the goal it comes.

    Observation: first the rules and the position, then what the last move did, or why it was refused, and the position.
    Action: one move, on the last line.
    Episode: terminated when the goal is reached or the game is lost, truncated after `max_turns`.

    A move's reward is the change of the potential, which is 0 at the start and 1 at the goal, and falls with the exact
    distance to it. So an episode earns 1.0 when solved, whatever the way, and no round trip earns. A refused move
    changes nothing and earns 0.
    """

    puzzle_class: ClassVar[type[MovePuzzle[Any]]]
    default_max_turns: ClassVar[int] = 50
    tool_word = "move"

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._position: Any = None
        self._past: list[Any] = []

    @property
    def puzzle(self) -> MovePuzzle[Any]:
        """The instance of the running episode."""
        puzzle = self._of(self.task.instance)
        assert isinstance(puzzle, MovePuzzle)
        return puzzle

    def begin(self, instance: Mapping[str, Any]) -> str:
        puzzle = self._of(instance)
        assert isinstance(puzzle, MovePuzzle)
        self._position, self._past = puzzle.start(), []
        undo = " 'undo' takes the last move back." if puzzle.can_undo else ""
        return f"{puzzle.rules()}\nWrite one move a turn.{undo}\n{puzzle.view(self._position)}"

    def turn(self, action: str) -> TurnResult:
        puzzle = self.puzzle
        start, end = _last_line(action)
        move = tidy(action[start:end]).removeprefix("move:").removeprefix("answer:").strip()
        if len(move) > 120:
            return self._refused(start, end, "A move is one short line.")
        before = puzzle.potential(self._position)
        if move == "undo" and puzzle.can_undo:
            if not self._past:
                return self._refused(start, end, "There is no move to take back.")
            self._position, told = self._past.pop(), "Took the last move back."
        else:
            try:
                after = puzzle.apply(self._position, move)
            except Illegal as illegal:
                return self._refused(start, end, str(illegal))
            told = puzzle.told(self._position, move, after)
            if puzzle.can_undo:
                self._past.append(self._position)
            self._position = after
        now = puzzle.potential(self._position)
        nearer = "nearer" if now > before else "further away" if now < before else "neither nearer nor further"
        credits_ = [Credit(start, end, now - before, "move", nearer)]
        view = puzzle.view(self._position)
        if puzzle.solved(self._position):
            return TurnResult(_joined(told, "Solved.", view), credits_, Verdict.right("solved"), terminated=True)
        reason = puzzle.lost(self._position)
        if reason:
            verdict = Verdict.wrong(reason, progress=max(0.0, now))
            return TurnResult(_joined(told, reason, view), credits_, verdict, terminated=True)
        return TurnResult(_joined(told, view), credits_)

    def save(self) -> dict[str, Any]:
        puzzle = self.puzzle
        return {"position": puzzle.pack(self._position), "past": [puzzle.pack(state) for state in self._past]}

    def load(self, data: Mapping[str, Any]) -> None:
        puzzle = self.puzzle
        past = data.get("past")
        if "position" not in data or not isinstance(past, list):
            raise BadInput(f"a state of {self.family} has a 'position' and a 'past', found {sorted(map(str, data))}")
        self._position, self._past = puzzle.unpack(data["position"]), [puzzle.unpack(state) for state in past]

    def potential(self) -> float:
        """0 at the start, 1 at the goal, never below -1."""
        return self.puzzle.potential(self._position)

    def admissible(self) -> list[str]:
        """Every legal move, `undo` included where there is one and something to take back."""
        moves = self.puzzle.moves(self._position)
        return [*moves, "undo"] if self._past else moves

    def unfinished(self) -> Verdict:
        """Partial, by how near the last position is."""
        near = self.potential()
        reason = f"the goal is not reached after {self.max_turns} turns"
        return Verdict.partial(min(max(0.0, near), 1 - 1e-9), reason, progress=near)

    def oracle(self) -> str:
        puzzle = self.puzzle
        if puzzle.distance(self._position) is None and self._past:
            return "undo"
        return puzzle.best(self._position)

    def cheats(self) -> Sequence[str]:
        return (*VerifiableEnv.cheats(self), self._observation, "undo", "solve", "solved", *self.puzzle.cheats())

    def _refused(self, start: int, end: int, reason: str) -> TurnResult:
        view = self.puzzle.view(self._position)
        credits_ = [Credit(start, end, 0.0, "move", reason)] if end > start else []
        return TurnResult(f"Not allowed: {reason}\n{view}", credits_)


def _last_line(action: str) -> tuple[int, int]:
    spans = list(lines(action))
    return spans[-1] if spans else (0, 0)


def _joined(*parts: str) -> str:
    return "\n".join(part for part in parts if part)


_made: dict[str, type[PuzzleEnv]] = {}


def environment(name: str) -> type[PuzzleEnv]:
    """The environment class of a name in the table of families, such as `Sudoku` or `SudokuSteps`.

    Raises:
        BadInput: If no family has it.
    """
    if name not in _made:
        for entry in FAMILIES:
            if name in (entry.single_name, entry.steps_name):
                _made[name] = _build(name, entry.target, steps=name == entry.steps_name)
                break
        else:
            raise BadInput(f"no puzzle environment {name!r}; `proofgym list --puzzles` shows them all")
    return _made[name]


def _build(name: str, target: str, *, steps: bool) -> type[PuzzleEnv]:
    puzzle = load(target)
    base: type[PuzzleEnv] = PuzzleSteps if steps else PuzzleEnv
    head, _, rest = (puzzle.__doc__ or "").partition("\n")
    floor = puzzle.floor
    if steps:
        assert issubclass(puzzle, MovePuzzle)
        floor = puzzle.steps_floor
    knobs = "\n".join(f"    {key}: {knob.meaning}." for key, knob in puzzle.knobs.items())
    asked = (base.__doc__ or "").partition("\n\n    Args:")[0].partition("\n")[2].rstrip()
    members = {
        "__doc__": f"{head}\n{asked}\n{rest.rstrip()}\n\n    Knobs:\n{knobs}\n",
        "__module__": __name__,
        "puzzle_class": puzzle,
        "family": puzzle.family,
        "floor": floor,
        "observation_limit": puzzle.observation_limit,
        "action_limit": puzzle.action_limit,
    }
    return type(name, (base,), members)


def __getattr__(name: str) -> type[PuzzleEnv]:
    if name.startswith("_"):
        raise AttributeError(name)
    try:
        return environment(name)
    except BadInput as error:
        raise AttributeError(str(error)) from None
