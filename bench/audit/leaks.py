"""Whether the answer lies where the policy can read it: in the question, or in `info`.

An answer such as 3 is found in many texts by chance, and choices are listed in the question they belong to. So what is
searched for is a *place*: the characters before the answer, or a key of `info`, where the answer stands more often than
other tasks' answers do and than the stated chance level allows. Whoever reads that place is paid without thinking. The
first of many moves is often the same, so there the place has to hold it nearly always.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from proofgym.bench.audit.chance import ALPHA, tail
from proofgym.bench.audit.depth import Depth
from proofgym.bench.audit.finding import Finding, failed, passed
from proofgym.bench.audit.panel import core
from proofgym.bench.audit.subject import Item, Subject, plain

__all__ = ["check"]

_CONTEXT = 12  # characters before an answer that name its place
_LONG = 24  # characters of an answer that nobody finds in a text by chance
_MOST = 40  # occurrences that are looked at in one text


def check(subject: Subject, depth: Depth) -> Finding:
    """The answer stands neither in the observation nor in `info`, beyond what chance and choices explain."""
    subject.need_oracle()
    items = subject.items(depth.leaks)
    answers, shown = [], []
    for item in items:
        answers.append(subject.answers(item)[0])
        _, observation, info = subject.ask(item)
        shown.append((str(observation), list(_leaves(plain({k: v for k, v in info.items() if k != "admissible"})))))
    whole = _whole(subject, items, answers, shown)
    if whole is not None:
        return whole
    cores = [core(answer) for answer in answers]
    places: Counter[str] = Counter()
    others: Counter[str] = Counter()
    examples: dict[str, int] = {}
    for k, (text, leaves) in enumerate(shown):
        for place in set(_places(cores[k], text, leaves)):
            places[place] += 1
            examples.setdefault(place, k)
        for place in set(_places(cores[(k + 1) % len(cores)], text, leaves)):
            others[place] += 1
    n = len(items)
    chance = min(0.95, max(subject.floor or 0.0, 0.05))
    worst, p_of_worst = "", 1.0
    for place, hits in places.items():
        expected = min(0.97, max(chance, (others[place] + 1) / n))
        p = tail([1.0] * hits + [0.0] * (n - hits), expected)
        if p < p_of_worst:
            worst, p_of_worst = place, p
    hits = places[worst] if worst else 0
    if worst and p_of_worst * len(places) < ALPHA and hits >= (0.4 if subject.single else 0.9) * n:
        said = f"{worst} holds the answer of {hits} of {n} tasks (another task's: {others[worst]})"
        item = items[examples[worst]]
        return failed("leak", said, subject.recipe(item, note=f"{said}; here {cores[examples[worst]]!r:.60}"))
    said = f"{n} observations and infos; the most telling of {len(places)} places holds {hits} answers"
    return passed(
        "leak", f"{said}, by chance {others[worst]}" if worst else f"{n} observations and infos; no answer in them"
    )


def _whole(subject: Subject, items: list[Item], answers: list[str], shown: list[tuple[str, Any]]) -> Finding | None:
    """The whole action of the oracle, literally, of single turns only: rules of moves name moves."""
    if not subject.single:
        return None
    own, cross, example = 0, 0, 0
    for k, (text, leaves) in enumerate(shown):
        everything = "\n".join([text, *(value for _, value in leaves)])
        if len(core(answers[k])) >= _LONG or answers[k] != core(answers[k]):
            found = answers[k] in everything
            own += found
            example = k if found else example
        cross += answers[(k + 1) % len(answers)] in everything
    if own > max(2 * cross, (subject.floor or 0.0) * len(items) + 1, 0.1 * len(items)):
        said = f"the oracle's whole action stands in what is shown, for {own} of {len(items)} tasks"
        return failed("leak", said, subject.recipe(items[example], note=f"{said}; here {answers[example]!r:.80}"))
    return None


def _places(answer: str, text: str, leaves: list[tuple[str, str]]) -> Iterator[str]:
    if not answer:
        return
    start, seen = text.find(answer), 0
    while start >= 0 and seen < _MOST:
        end = start + len(answer)
        if not (_inside(text, start) or _inside(text, end)):
            before = re.sub(r"\d+", "0", text[max(0, start - 2 * _CONTEXT) : start])[-_CONTEXT:]
            after = "the end" if end == len(text.rstrip()) else repr(text[end : end + 1])
            which = text[:start].count(text[max(0, start - _CONTEXT) : start]) if start else 0
            yield f"the text after {before!r} up to {after} (number {which})"
        start, seen = text.find(answer, start + 1), seen + 1
    for path, value in leaves:
        if value == answer or (len(answer) >= 4 and answer in value):
            yield f"info{path}"


def _inside(text: str, at: int) -> bool:
    """Whether a position cuts a word or a number in two."""
    return 0 < at < len(text) and text[at - 1].isalnum() and text[at].isalnum()


def _leaves(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping):
        for key, entry in value.items():
            yield from _leaves(entry, f"{path}[{key!r}]")
    elif isinstance(value, list):
        for k, entry in enumerate(value[:200]):
            yield from _leaves(entry, f"{path}[{k}]")
    elif value is not None:
        yield path, str(value)
