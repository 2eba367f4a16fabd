"""Compares two answers, asked in both orders: a judge that changes its mind with the order has not decided.

Source: the position swap of Zheng et al. 2023, "Judging LLM-as-a-Judge" (arXiv:2306.05685), section 3.4.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Literal

from proofgym.chat import Usage
from proofgym.verifiers.judge import prompt
from proofgym.verifiers.judge.detector import flags
from proofgym.verifiers.judge.judge import Judge, Undecided, ask
from proofgym.verifiers.judge.quoting import neutralise, token
from proofgym.verifiers.judge.replies import choice

__all__ = ["PairReport", "Preference", "compare", "report"]

Winner = Literal["a", "b", "tie"]
_OPTIONS = ("first", "second", "tie")


@dataclass(frozen=True, slots=True)
class Preference:
    """Which of two answers is better.

    Args:
        winner: `a`, `b`, or `tie`.
        swapped: Whether the two orders contradict each other: then the winner is `tie`.
        votes: Votes for each side, over all samples and both orders.
        first: The share of votes, ties left out, that went to whoever stood first; 0.5 means no bias.
        critique: Of a sample on the winner's side.
        calls, usage: What it cost.
    """

    winner: Winner
    swapped: bool
    votes: dict[str, int]
    first: float | None
    critique: str = ""
    calls: int = 0
    usage: Usage = field(default_factory=Usage)


@dataclass(frozen=True, slots=True)
class PairReport:
    """Many comparisons at a glance.

    Args:
        pairs: Compared.
        swapped: The share in which the two orders contradict each other.
        ties: The share without a winner, those included.
        first: The mean share of votes for whoever stood first.
    """

    pairs: int
    swapped: float
    ties: float
    first: float | None


def compare(
    judge: Judge,
    question: str,
    a: str,
    b: str,
    *,
    reference: str | None = None,
    on_swap: Literal["tie", "unjudged"] = "tie",
) -> Preference:
    """Ask a judge which of two answers does its rubric's task better, in both orders.

    An answer that addresses the judge loses to one that does not, unasked, while the judge's detector is up.

    Args:
        on_swap: What becomes of a contradiction between the orders.
    Raises:
        Unjudged: If the model cannot be reached, or `Undecided` if nothing came of asking, a contradiction with
            `on_swap="unjudged"` included.
    """
    if judge.config.defences.detector == "malformed":
        guilty = [bool(flags(text)) for text in (a, b)]
        if guilty[0] != guilty[1]:
            return Preference("b" if guilty[0] else "a", False, {}, None, "the other answer addresses its judge")
    shown = {"a": neutralise(a).text, "b": neutralise(b).text}
    votes: Counter[str] = Counter()
    by_order: list[Counter[str]] = []
    first = decided = calls = 0
    usage = Usage()
    said: dict[str, str] = {}
    for order in (("a", "b"), ("b", "a")):
        mark = token(judge.config.seed, judge.rubric.task, question, reference or "", shown[order[0]], shown[order[1]])
        messages = prompt.pair(judge.rubric.task, question, reference, shown[order[0]], shown[order[1]], mark)
        counted: Counter[str] = Counter()
        for sample in range(judge.config.samples):
            try:
                (word, critique), _, asked, spent = ask(
                    judge.model, messages, judge.config, sample, _schema(mark),
                    lambda text, mark=mark: choice(text, "better", _OPTIONS, mark),
                )  # fmt: skip
            except Undecided as error:
                calls, usage = calls + error.calls, usage + error.usage
                continue
            calls, usage = calls + asked, usage + spent
            winner = word if word == "tie" else order[_OPTIONS.index(word)]
            counted[winner] += 1
            said.setdefault(winner, critique)
            decided += word != "tie"
            first += word == "first"
        if not counted:
            raise Undecided("no reply of one order could be read", calls, usage)
        by_order.append(counted)
        votes += counted
    leaders = [_leader(counted) for counted in by_order]
    swapped = set(leaders) == {"a", "b"}
    if swapped and on_swap == "unjudged":
        raise Undecided("the judge's preference changes with the order of the two", calls, usage)
    won: Winner = leaders[0] if leaders[0] == leaders[1] else "tie"
    return Preference(
        won, swapped, {side: votes[side] for side in ("a", "b", "tie")}, first / decided if decided else None,
        said.get(won, ""), calls, usage,
    )  # fmt: skip


def report(found: Iterable[Preference]) -> PairReport:
    """How consistent a judge was over many comparisons.

    >>> report([Preference("tie", True, {}, 1.0), Preference("a", False, {}, 0.5)])
    PairReport(pairs=2, swapped=0.5, ties=0.5, first=0.75)
    """
    rows = list(found)
    firsts = [row.first for row in rows if row.first is not None]
    n = max(1, len(rows))
    return PairReport(
        len(rows), sum(row.swapped for row in rows) / n, sum(row.winner == "tie" for row in rows) / n,
        sum(firsts) / len(firsts) if firsts else None,
    )  # fmt: skip


def _leader(counted: Counter[str]) -> Winner:
    if counted["a"] == counted["b"]:
        return "tie"
    side: Winner = "a" if counted["a"] > counted["b"] else "b"
    return side if counted[side] > counted["tie"] else "tie"


def _schema(mark: str) -> dict[str, Any]:
    properties = {
        "call": {"type": "string", "enum": [mark]},
        "critique": {"type": "string"},
        "better": {"type": "string", "enum": list(_OPTIONS)},
    }
    return {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}
