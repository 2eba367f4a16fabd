"""A person plays an environment in the terminal: legal moves, hints from its expert, moves taken back, the verdict."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import gymnasium
from rich.columns import Columns
from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from proofgym.bench.hidden import named
from proofgym.bench.show import credited, judged, pay
from proofgym.envs.base import fork, reset_item
from proofgym.errors import NotForkable, ProofgymError
from proofgym.verifiers import Verdict

__all__ = ["HELP", "SHORT_HELP", "play"]

SHORT_HELP = "Type an answer. `:help` says what else there is, `:quit` leaves."
HELP = '''\
What you type is your answer, as it stands. Besides:
  3            the third of the moves that are listed
  """          begins an answer of several lines, and a second one ends it
  \\TEXT        TEXT as it stands, even where it looks like one of these
  ?            what the expert would play; asking costs nothing
  :list WORDS  the moves that hold these words; `:list` alone lists all from the start
  :more        the next page of moves
  :look        the question, or what was last seen, once more
  :undo        takes your last move back
  :score       what was earned so far
  :help        this
  :quit        leaves; so does Ctrl-D'''
_PAGE = 40  # moves listed at once
_KEPT = 200  # moves that can be taken back
_LONGEST_NUMBER = 6

Read = Callable[[str], str]
TextEnv = gymnasium.Env[Any, Any]


def play(
    env: TextEnv,
    *,
    seed: int = 0,
    index: int = 0,
    read: Read | None = None,
    console: Console | None = None,
) -> float | None:
    """Play one episode and return its reward, or nothing if the player left early.

    Leaving closes the environment, so that a recorder around it writes down what was played.

    Args:
        env: Any environment of text turns.
        seed, index: Which item to ask.
        read: Shows a prompt and returns a line; raises `EOFError` when there are no more. The keyboard by default,
            where the Tab key completes a listed move.
        console: Where to print.
    Raises:
        Unjudged: If an answer could not be judged; the episode has no score.
        KeyboardInterrupt: When the player presses Ctrl-C, after saying what was earned.
    """
    game = _Game(env, console or Console(), read or _keyboard)
    game.console.print(Text(SHORT_HELP, "dim"))
    game.observation, game.info = reset_item(env, seed, index)
    try:
        return game.run()
    except KeyboardInterrupt:
        game.console.print()
        game.leave()
        raise


@dataclass(slots=True)
class _Moment:
    """The game before a move, to come back to."""

    env: TextEnv
    observation: str
    info: dict[str, Any]
    earned: float


@dataclass(slots=True)
class _Game:
    env: TextEnv
    console: Console
    read: Read
    observation: str = ""
    info: dict[str, Any] = field(default_factory=dict)
    earned: float = 0.0
    before: list[_Moment] = field(default_factory=list)
    undone: int = 0
    hints: int = 0
    _page: int = 0

    def run(self) -> float | None:
        self.look()
        while True:
            action = self.answer()
            if action is None:
                self.leave()
                return None
            self.remember()
            self.observation, reward, terminated, truncated, self.info = self.env.step(action)
            self.earned += float(reward)
            credits_ = self.info.get("credits") or []
            marked = credited(action, credits_, marks=self.console.color_system is None)
            self.console.print(Padding(marked, (0, 2)))
            self.console.print(Padding(pay(float(reward), action, credits_), (0, 2)))
            if terminated or truncated:
                self.end()
                return self.earned
            self.look()

    # What is shown ----------------------------------------------------------------------------------------------------

    def look(self) -> None:
        """What the policy reads now, and the moves there are."""
        self.console.print(Padding(Text(named(str(self.observation))), (1, 2)))
        self._page = 0
        self.list_moves("")

    def list_moves(self, words: str) -> None:
        """A page of the moves that hold some words, under their numbers in the whole list."""
        wanted = words.lower().split()
        found = [
            (number, text)
            for number, text in enumerate(self.moves, start=1)
            if all(word in text.lower() for word in wanted)
        ]
        if wanted and not found:
            self.say(f"no move holds {named(words)!r}; there are {len(self.moves)}")
            return
        shown = found if wanted else found[self._page * _PAGE : (self._page + 1) * _PAGE]
        lines = [Text.assemble((f"{number:>3} ", "dim"), named(text)) for number, text in shown[: 5 * _PAGE]]
        if lines:
            self.console.print(Padding(Columns(lines, column_first=True, padding=(0, 3)), (0, 2)))
        rest = len(found) - (0 if wanted else self._page * _PAGE) - len(lines)
        if rest > 0:
            self.say(f"  … and {rest} more: `:more` goes on, `:list WORDS` finds")

    def more(self) -> None:
        """The next page, and the first again after the last."""
        pages = max(1, -(-len(self.moves) // _PAGE))
        if pages == 1:
            self.say("there are no more moves than those listed" if self.moves else "this environment lists no moves")
            return
        self._page = (self._page + 1) % pages
        self.list_moves("")

    def end(self) -> None:
        if self.observation:
            self.console.print(Padding(Text(named(str(self.observation))), (1, 2)))
        verdict = self.info.get("verdict")
        known = verdict if isinstance(verdict, Verdict) else None
        self.console.print(judged(known, self.earned) if known else Text(f"total {self.earned:+.3g}"))
        helped = [f"{n} {word}{'s' if n > 1 else ''}" for n, word in ((self.hints, "hint"), (self.undone, "undo")) if n]
        if helped:
            self.say("with " + " and ".join(helped))

    def leave(self) -> None:
        self.say(f"left after {self.earned:+.3g}")
        self.env.close()

    def say(self, text: str) -> None:
        self.console.print(Text(text, "dim"))

    # What is asked ----------------------------------------------------------------------------------------------------

    @property
    def moves(self) -> Sequence[str]:
        return [str(move) for move in self.info.get("admissible") or ()]

    def answer(self) -> str | None:
        """The next action, or nothing when the player leaves; everything else is done on the way."""
        while True:
            try:
                _complete(self.moves)
                line = self.read("> ")
                typed = line.strip()
                if typed == '"""':
                    return self.several_lines()
            except EOFError:
                return None
            except UnicodeDecodeError:
                self.say("these bytes are no text in this terminal's encoding; nothing was played")
                continue
            command, _, rest = typed.partition(" ")
            if command == ":quit":
                return None
            if typed.startswith("\\"):
                return line.lstrip()[1:]
            if typed == "?" or command == ":hint":
                self.hint()
            elif typed.startswith(":"):
                self.obey(command, rest.strip())
            elif (picked := self.picked(typed)) is not None:
                return picked
            elif typed:
                return line

    def several_lines(self) -> str:
        lines: list[str] = []
        while (more := self.read("  ")).strip() != '"""':
            lines.append(more)
        return "\n".join(lines)

    def picked(self, typed: str) -> str | None:
        """The move of a number, unless the number itself is a move."""
        moves = self.moves
        if not (typed.isdecimal() and len(typed) <= _LONGEST_NUMBER) or typed in moves:
            return None
        return moves[int(typed) - 1] if 1 <= int(typed) <= len(moves) else None

    def obey(self, command: str, rest: str) -> None:
        if command == ":list":
            self._page = 0
            if self.moves:
                self.list_moves(rest)
            else:
                self.say("this environment lists no moves")
        elif command == ":more":
            self.more()
        elif command == ":look":
            self.look()
        elif command == ":undo":
            self.undo()
        elif command == ":score":
            self.say(f"{self.earned:+.3g} so far")
        else:
            if command not in (":help", ":h"):
                self.say(f"there is no command {named(command[:40])!r}; \\ before it plays it as an answer")
            self.say(HELP)

    def hint(self) -> None:
        """What the expert would play, asked of a fork so that asking changes nothing."""
        try:
            expert = fork(self.env).unwrapped
            if not hasattr(expert, "oracle"):
                raise NotForkable("this environment has no expert")
            text = str(expert.oracle())
        except ProofgymError as error:
            self.console.print(Text(str(error), "yellow"))
            return
        self.hints += 1
        self.console.print(Text.assemble(("the expert plays  ", "dim"), named(text)))

    def remember(self) -> None:
        """Keep a fork of the game as it stands, where it can be forked."""
        try:
            self.before.append(_Moment(fork(self.env), self.observation, self.info, self.earned))
            del self.before[:-_KEPT]
        except ProofgymError:
            self.before.clear()

    def undo(self) -> None:
        if not self.before:
            try:
                fork(self.env)
                self.say("there is no move to take back")
            except ProofgymError as error:
                self.console.print(Text(f"no move can be taken back: {error}", "yellow"))
            return
        moment = self.before.pop()
        self.env, self.observation, self.info, self.earned = (
            moment.env, moment.observation, moment.info, moment.earned,
        )  # fmt: skip
        self.undone += 1
        self.say(f"taken back; {self.earned:+.3g} so far")
        self.look()


# The keyboard ---------------------------------------------------------------------------------------------------------


def _keyboard(prompt: str) -> str:
    return input(prompt)


def _complete(moves: Sequence[str]) -> None:
    """Let the Tab key complete a listed move, where there is a keyboard."""
    if not sys.stdin.isatty():
        return
    try:
        import readline
    except ImportError:  # Windows has none
        return

    def completer(text: str, state: int) -> str | None:
        found = [move for move in moves if move.startswith(text)]
        return found[state] if state < len(found) else None

    readline.set_completer_delims("")
    readline.set_completer(completer)
    readline.parse_and_bind("tab: complete")
