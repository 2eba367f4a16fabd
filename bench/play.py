"""A person plays an environment in the terminal, with hints from its expert and the verdict at the end."""

from __future__ import annotations

from collections.abc import Callable
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

__all__ = ["HELP", "play"]

HELP = 'Type an answer; `"""` begins and ends one of several lines; `?` asks the expert; `:quit` leaves.'
_ACTIONS_SHOWN = 60


def play(
    env: gymnasium.Env[Any, Any],
    *,
    seed: int = 0,
    index: int = 0,
    read: Callable[[str], str] = input,
    console: Console | None = None,
) -> float | None:
    """Play one episode and return its reward, or nothing if the player left early.

    Args:
        env: Any environment of text turns.
        seed, index: Which item to ask.
        read: Shows a prompt and returns a line; raises `EOFError` when there are no more.
        console: Where to print.
    Raises:
        Unjudged: If an answer could not be judged; the episode has no score.
    """
    console = console or Console()
    console.print(Text(HELP, "dim"))
    observation, info = reset_item(env, seed, index)
    earned = 0.0
    while True:
        console.print(Padding(Text(named(observation)), (1, 2)))
        listed = info.get("admissible") or []
        _print_admissible(listed, console)
        action = _answer(env, listed, read, console)
        if action is None:
            console.print(Text(f"left after {earned:+.3g}", "dim"))
            return None
        observation, reward, terminated, truncated, info = env.step(action)
        earned += float(reward)
        console.print(Padding(credited(action, info.get("credits", [])), (0, 2)))
        console.print(Padding(pay(float(reward), action, info.get("credits", [])), (0, 2)))
        if terminated or truncated:
            if observation:
                console.print(Padding(Text(named(observation)), (1, 2)))
            verdict = info.get("verdict")
            console.print(judged(verdict, earned) if isinstance(verdict, Verdict) else Text(f"total {earned:+.3g}"))
            return earned


def _print_admissible(listed: list[str], console: Console) -> None:
    if not listed:
        return
    shown = [f"[dim]{number:>3}[/] " + _plain(text) for number, text in enumerate(listed[:_ACTIONS_SHOWN], start=1)]
    console.print(Padding(Columns(shown, column_first=True, padding=(0, 3)), (0, 2)))
    if len(listed) > _ACTIONS_SHOWN:
        console.print(Text(f"  … and {len(listed) - _ACTIONS_SHOWN} more", "dim"))


def _plain(text: str) -> str:
    return named(text).replace("[", "\\[")


def _answer(
    env: gymnasium.Env[Any, Any], listed: list[str], read: Callable[[str], str], console: Console
) -> str | None:
    """The next action, or nothing when the player leaves; hints and help are given on the way."""
    while True:
        try:
            line = read("> ")
            if line.strip() == '"""':
                lines: list[str] = []
                while (more := read("  ")).strip() != '"""':
                    lines.append(more)
                return "\n".join(lines)
        except EOFError:
            return None
        typed = line.strip()
        if typed == ":quit":
            return None
        if typed == "?":
            console.print(_hint(env))
        elif typed.startswith(":"):
            console.print(Text(HELP, "dim"))
        elif typed.isdecimal() and typed not in listed and 1 <= int(typed) <= len(listed):
            return listed[int(typed) - 1]
        elif typed:
            return line


def _hint(env: gymnasium.Env[Any, Any]) -> Text:
    """What the expert would play, asked of a fork so that asking changes nothing."""
    try:
        expert = fork(env).unwrapped
        if not hasattr(expert, "oracle"):
            raise NotForkable("this environment has no expert")
        return Text.assemble(("the expert plays  ", "dim"), named(str(expert.oracle())))
    except ProofgymError as error:
        return Text(str(error), "yellow")
