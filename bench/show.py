"""One environment on one screen: what it asks, what it pays, and an expert's episode with its credits."""

from __future__ import annotations

import importlib
import inspect
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from proofgym.bench.hidden import named
from proofgym.bench.spans import pieces
from proofgym.envs.base import VerifiableEnv
from proofgym.envs.registry import EnvEntry, find, list_envs, make
from proofgym.envs.trajectory import Turn
from proofgym.errors import ProofgymError
from proofgym.verifiers import Credit, Status, Verdict

__all__ = ["Card", "card", "credited", "judged", "pay", "puzzles_table", "results", "show", "table"]

_COLOURS = {
    Status.CORRECT: "green", Status.PARTIAL: "yellow", Status.WRONG: "red", Status.MALFORMED: "red",
    Status.LIMIT: "red",
}  # fmt: skip
_TURNS_SHOWN = 4
_MARKS = {"plain": "", "good": "+", "bad": "-", "zero": "="}


@dataclass(slots=True)
class Card:
    """What `proofgym show` prints.

    Args:
        entry: The line of the registry.
        about: The class's docstring.
        env: Its settings: turns, floor, spaces. Empty when it could not be made.
        turns: An expert's episode on one item.
        trouble: Why there is no example, or none to the end; empty when there is.
    """

    entry: EnvEntry
    about: str
    env: dict[str, str] = field(default_factory=dict)
    turns: list[Turn] = field(default_factory=list)
    trouble: str = ""


def table(entries: Sequence[EnvEntry] | None = None) -> Table:
    """The registry as a table, ours and the plug-ins'."""
    drawn = Table("id", "domain", "turns", "asks", box=None, header_style="dim", pad_edge=False)
    drawn.columns[0].no_wrap = True
    drawn.columns[2].justify = "right"
    for entry in list_envs() if entries is None else entries:
        needs = f" [dim](needs {', '.join(entry.needs)})[/]" if entry.needs else ""
        drawn.add_row(f"[bold]{entry.id}[/]", entry.domain, str(entry.max_turns), entry.summary + needs)
    return drawn


def puzzles_table(families: Sequence[Mapping[str, Any]]) -> Table:
    """The puzzle families: what their knobs go from and to, and how hard the ends and the middle were measured."""
    columns = ("name", "kind", "turns", "knobs from level 0 to 1", "hardness at 0, 0.5, 1")
    drawn = Table(*columns, box=None, header_style="dim", pad_edge=False)
    drawn.columns[0].no_wrap = True
    drawn.columns[2].justify = "right"
    for row in families:
        knobs = ", ".join(
            f"{name} {knob['easy']:g} to {knob['hard']:g}" if "easy" in knob else f"{name}: {'/'.join(knob['values'])}"
            for name, knob in row["knobs"].items()
        )
        means = ", ".join(f"{row['hardness'][level]['mean']:g}" for level in ("0.0", "0.5", "1.0"))
        drawn.add_row(row["name"], row["kind"], str(row["turns"]), knobs, f"{means} [dim]{row['hardness_of']}[/]")
    return drawn


def card(env_id: str, *, seed: int = 0, env_kwargs: Mapping[str, Any] | None = None) -> Card:
    """Describe an environment, with an episode that its own expert plays.

    Raises:
        UnknownEnv: If there is no such environment.
    """
    entry = find(env_id)
    try:
        env = make(entry.id, **(env_kwargs or {}))
    except ProofgymError as error:
        module, _, name = entry.target.partition(":")
        about = inspect.getdoc(getattr(importlib.import_module(module), name)) or ""
        return Card(entry, about, trouble=str(error))
    inner = env.unwrapped
    found = Card(entry, inspect.getdoc(type(inner)) or "")
    found.env = {"reads": repr(env.observation_space), "writes": repr(env.action_space)}
    if isinstance(inner, VerifiableEnv):
        found.env |= {
            "turns": f"at most {inner.max_turns}",
            "floor": f"a policy that does not read the question earns at most {inner.floor:g} an episode, on average",
        }
    try:
        observation, _ = env.reset(seed=seed)
        if not isinstance(inner, VerifiableEnv):
            found.turns, found.trouble = [Turn(observation, "", 0.0)], "it has no expert to show an answer"
            return found
        over = False
        while not over:
            action = inner.oracle()
            following, reward, terminated, truncated, info = env.step(action)
            found.turns.append(Turn(observation, action, float(reward), info["credits"], info.get("verdict")))
            observation, over = following, terminated or truncated
    except ProofgymError as error:
        found.trouble = str(error)
    finally:
        env.close()
    return found


def show(card_: Card, console: Console) -> None:
    """Print a card."""
    entry = card_.entry
    facts = Table.grid(padding=(0, 2))
    for key, value in card_.env.items():
        facts.add_row(Text(key, "dim"), Text(value))
    if entry.needs:
        facts.add_row(Text("needs", "dim"), Text(", ".join(entry.needs)))
    console.print(Text.assemble((entry.id, "bold"), (f"  {entry.domain}", "dim")))
    console.print(Padding(Text(reflow(card_.about) or entry.summary), (1, 2)))
    console.print(Padding(facts, (0, 2, 1, 2)))
    for number, turn in enumerate(card_.turns[:_TURNS_SHOWN], start=1):
        console.print(Text(f"asks {number}" if len(card_.turns) > 1 else "asks", "dim"))
        console.print(Padding(Text(named(turn.observation)), (0, 2)))
        if turn.action:
            console.print(Text("its expert answers", "dim"))
            console.print(Padding(credited(turn.action, turn.credits), (0, 2)))
            console.print(Padding(pay(turn.reward, turn.action, turn.credits), (0, 2)))
    if len(card_.turns) > _TURNS_SHOWN:
        console.print(Text(f"… {len(card_.turns) - _TURNS_SHOWN} more turns", "dim"))
    verdict = next((turn.verdict for turn in reversed(card_.turns) if turn.verdict), None)
    if verdict:
        console.print(judged(verdict, sum(turn.reward for turn in card_.turns)))
    if card_.trouble:
        console.print(Text.assemble(("no example: ", "yellow"), card_.trouble))


def reflow(doc: str) -> str:
    """A docstring whose lines end where its sentences and entries do, for a terminal of any width.

    >>> print(reflow("One\\nline.\\n\\nAction: two\\nlines.\\nArgs:\\n    x: More\\n        of it."))
    One line.
    <BLANKLINE>
    Action: two lines.
    Args:
        x: More of it.
    """
    lines: list[str] = []
    for line in doc.splitlines():
        starts = (
            not line.strip() or re.match(r"\s*[\w`, *.]{1,40}:(\s|$)", line) or line.strip().startswith((">>>", "- "))
        )
        if starts or not lines or not lines[-1].strip() or lines[-1].endswith(":"):
            lines.append(line.rstrip())
        else:
            lines[-1] += " " + line.strip()
    return "\n".join(lines).strip()


def credited(action: str, credits_: Sequence[Credit], *, marks: bool = False) -> Text:
    """An action as a terminal shows it: paid spans green, charged ones red, seen ones underlined.

    Args:
        action, credits_: What was written, and what it earned.
        marks: Set spans in braces, for a terminal without colours.

    >>> credited("1+1=2 ok", [Credit(0, 5, 0.5, "step")]).markup
    '[black on green]1+1=2[/black on green] ok'
    >>> credited("1+1=2 ok", [Credit(0, 5, 0.5, "step"), Credit(6, 8, -1, "noise")], marks=True).plain
    '{+1+1=2+} {-ok-}'
    """
    styles = {"plain": "", "good": "black on green", "bad": "white on red", "zero": "underline"}
    text = Text()
    for piece in pieces(action, credits_):
        if piece.text or piece.kind != "plain":
            shown = named(piece.text) or "▏"
            sign = _MARKS[piece.kind]
            text.append(f"{{{sign}{shown}{sign}}}" if marks and sign else shown, styles[piece.kind])
    return text


def pay(reward: float, action: str, credits_: Sequence[Credit]) -> Text:
    """The reward of a turn, for what, and which spans earned nothing or less."""
    text = Text.assemble(
        "reward ", (f"{reward:+.3g}", "bold green" if reward > 0 else "bold red" if reward < 0 else "bold")
    )
    terms: dict[str, float] = {}
    for credit in credits_:
        terms[credit.label] = terms.get(credit.label, 0.0) + credit.value
    if terms:
        text.append("  " + "  ".join(f"{label} {value:+.3g}" for label, value in terms.items()), "dim")
    unpaid = [credit for credit in credits_ if credit.value <= 0 and credit.reason]
    for credit in unpaid[:3]:
        span = " ".join(action[credit.start : credit.end].split())[:40]
        text.append(f"\n{credit.value:+.3g}  {named(span)}  {named(credit.reason)}", "dim")
    return text


def judged(verdict: Verdict, reward: float) -> Text:
    """A verdict and the episode's reward on one line."""
    status = Text(f" {verdict.status.value} ", f"bold black on {_COLOURS[verdict.status]}")
    return Text.assemble(
        status, f" {named(verdict.reason)}" if verdict.reason else "", (f"  total {reward:+.3g}", "dim")
    )


def results(rows: Sequence[Any]) -> Table:
    """Results of an evaluation as a table: each figure with its 95% interval, unjudged episodes apart."""
    drawn = Table(box=None, header_style="dim", pad_edge=False)
    for name in ("environment", "judged", "unjudged", "mean reward", "solved", "seconds"):
        drawn.add_column(name, justify="left" if name == "environment" else "right", no_wrap=True)
    for row in rows:
        drawn.add_row(
            Text(row.env.removeprefix("proofgym/"), "bold"), str(row.n),
            Text(str(row.unjudged), "yellow" if row.unjudged else ""),
            _figure(row.mean, row.low, row.high), _figure(row.solved, row.solved_low, row.solved_high),
            f"{row.seconds:.1f}",
        )  # fmt: skip
    return drawn


def _figure(value: float | None, low: float | None, high: float | None) -> Text:
    if value is None or not math.isfinite(value):
        return Text("–")
    known = low is not None and high is not None and math.isfinite(low) and math.isfinite(high)
    return Text.assemble((f"{value:.3f}", "bold"), (f" [{low:.3f}, {high:.3f}]" if known else " no interval", "dim"))
