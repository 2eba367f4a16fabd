"""Regular expressions: write one for an automaton, and tell two apart by a shortest word; automata for languages."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
from typing_extensions import Self

from proofgym.envs.puzzles import answers, fields
from proofgym.envs.puzzles.answers import Answer, Unreadable, find_answer, tidy
from proofgym.envs.puzzles.contract import Knob, Knobs, Puzzle
from proofgym.envs.puzzles.draws import Draws
from proofgym.envs.puzzles.regular import Automaton, Dfa, difference, minimal, parse_regex
from proofgym.errors import BadInput
from proofgym.verifiers import Credit, Verdict

__all__ = ["DfaConstruction", "RegexDifference", "RegexSynthesis"]


def _expression(rng: np.random.Generator, letters: int, alphabet: str) -> str:
    """A random expression with so many letters."""
    if letters == 1:
        text = alphabet[int(rng.integers(len(alphabet)))]
        return text + "*" if rng.random() < 0.25 else text
    left = int(rng.integers(1, letters))
    one, two = _expression(rng, left, alphabet), _expression(rng, letters - left, alphabet)
    if rng.random() < 0.35:
        text = f"({one}|{two})"
        return text + ("*" if rng.random() < 0.5 else "")
    text = f"{one}{two}"
    return f"({text})*" if rng.random() < 0.2 else text


def _read(data: Mapping[str, Any], key: str, alphabet: str) -> Automaton:
    text = fields.text(data, key, f"{alphabet}()|*+?", most=200)
    try:
        return parse_regex(text, alphabet)
    except Unreadable as error:
        raise BadInput(f"{key!r} is no expression of the grammar: {error}") from None


_GRAMMAR = "Expressions are made of letters, | for a choice, parentheses, and * + ? after a letter or a parenthesis"


class RegexSynthesis(Puzzle):
    """Write a regular expression for the language of an automaton; any equivalent expression is right.

    Equivalence is decided exactly, by comparing the automata.
    """

    family = "regex_synthesis"
    knobs: ClassVar[Mapping[str, Knob]] = {
        "letters": Knob(4, 12, "letters of the expression that the automaton was made from", 4, 20),
        "states": Knob(4, 8, "states of the automaton, at least", 2, 12),
    }
    hardness_of = "transitions of the automaton that lead anywhere useful, and its states"
    floor: ClassVar[float] = 0.02

    @classmethod
    def generate(cls, rng: np.random.Generator, knobs: Knobs) -> Self:
        attempts = Draws(cls.family)
        while True:
            attempts.count()
            text = _expression(rng, knobs["letters"], "ab")
            dfa = minimal(parse_regex(text, "ab"), "ab", 40)
            if dfa is not None and knobs["states"] <= len(dfa.table) <= knobs["states"] + 4:
                return cls({"table": dfa.table, "final": sorted(dfa.final), "solution": text})

    def read(self, data: Mapping[str, Any]) -> None:
        fields.only(data, "table", "final", "solution")
        table = fields.matrix(data, "table", 0, 30, columns=2, most=30)
        if max(max(row) for row in table) >= len(table):
            raise BadInput(f"'table' leads to states from 0 to {len(table) - 1}")
        final = fields.wholes(data, "final", 0, len(table) - 1, most=30)
        self._dfa = Dfa("ab", [list(row) for row in table], set(final))
        self._stored = fields.text(data, "solution", "ab()|*+?", most=200)
        try:
            verdict = self.judge(self._stored)
        except Unreadable as error:
            raise BadInput(f"'solution' cannot be read: {error}") from None
        if not verdict.correct:
            raise BadInput(f"'solution' is wrong: {verdict.reason}")

    def question(self) -> str:
        rows = "\n".join(
            f"state {i}{' (accepting)' if i in self._dfa.final else ''}: a -> {a}, b -> {b}"
            for i, (a, b) in enumerate(self._dfa.table)
        )
        return (
            f"This automaton starts in state 0 and accepts a word of the letters a and b if it ends in an accepting "
            f"state:\n{rows}\n"
            f"Write a regular expression that matches exactly the words that it accepts. {_GRAMMAR}.\n"
            "End with a line 'Answer: ' and the expression."
        )

    def grade(self, text: str) -> tuple[Verdict, list[Credit]]:
        """As every family; but a star at the end may belong to the expression, or to markdown around it."""
        found = find_answer(text)
        if found is None:
            return Verdict.malformed("there is no answer"), []
        end = found.end
        while end < len(text) and text[end] == "*":
            end += 1
        verdict = self._judge(Answer(text[found.start : end], found.start, end))
        if not verdict.correct and end > found.end:
            other = self._judge(found)
            verdict = other if other.correct else verdict
        return verdict, [Credit(found.start, end, verdict.score, "answer", verdict.reason)]

    def judge(self, answer: str) -> Verdict:
        word = difference(parse_regex(answer.strip("` "), "ab"), self._dfa, "ab")
        return Verdict.right() if word is None else Verdict.wrong(f"they differ on {word or 'the empty word'!r}")

    def solution(self) -> str:
        return self._stored

    def hardness(self) -> float:
        table, alive = self._dfa.table, set(self._dfa.final)
        while True:
            more = {i for i, row in enumerate(table) if alive & set(row)} | alive
            if more == alive:
                break
            alive = more
        return float(len(table) + sum(j in alive for i, row in enumerate(table) if i in alive for j in row))

    def cheats(self) -> Sequence[str]:
        return ("Answer: (a|b)*", "Answer: a*b*", "Answer: .*", "Answer: (a*)*" * 3, "Answer: ((((a*)*)*)*)*")


class RegexDifference(Puzzle):
    """Find a shortest word that exactly one of two regular expressions matches; any of that length is right."""

    family = "regex_difference"
    knobs: ClassVar[Mapping[str, Knob]] = {
        "letters": Knob(4, 9, "letters of each expression", 4, 16),
        "length": Knob(3, 6, "letters of the word, at least", 1, 7),
    }
    hardness_of = "pairs of states that a breadth-first search meets"
    floor: ClassVar[float] = 0.06

    @classmethod
    def generate(cls, rng: np.random.Generator, knobs: Knobs) -> Self:
        attempts = Draws(cls.family)
        while True:
            attempts.count()
            one = _expression(rng, knobs["letters"], "abc")
            two = list(one)
            for _ in range(int(rng.integers(1, 3))):
                at = int(rng.integers(len(two)))
                if two[at] in "abc":
                    two[at] = "abc"[int(rng.integers(3))] + ("*" if rng.random() < 0.2 else "")
                elif two[at] == "*":
                    two[at] = "+" if rng.random() < 0.5 else ""
                elif two[at] == "|":
                    two[at] = ""
            other = "".join(two)
            if other == one or "**" in other or not one.strip("*"):
                continue
            try:
                puzzle = cls({"first": one, "second": other})
                word = puzzle.shortest
            except (BadInput, Unreadable):
                continue  # not an expression any more, or too complex
            if word is not None and len(word) >= knobs["length"]:
                return puzzle

    def read(self, data: Mapping[str, Any]) -> None:
        fields.only(data, "first", "second")
        self.first, self.second = _read(data, "first", "abc"), _read(data, "second", "abc")

    def prove(self) -> None:
        try:
            if self.shortest is None:
                raise BadInput("the expressions match the same words")
        except Unreadable:
            raise BadInput("the expressions are too complex to compare") from None

    @functools.cached_property
    def shortest(self) -> str | None:
        """A shortest word that tells them apart."""
        return difference(self.first, self.second, "abc")

    def question(self) -> str:
        return (
            f"Two regular expressions over the letters a, b and c:\nfirst: {self.data['first']}\nsecond: "
            f"{self.data['second']}\n"
            f"{_GRAMMAR}. Find a shortest word that exactly one of them matches as a whole.\n"
            "End with a line 'Answer: ' and the word, or 'empty' for the empty word."
        )

    def judge(self, answer: str) -> Verdict:
        word = tidy(answer).strip("'\"")
        word = "" if word == "empty" else word
        if len(word) > 60 or set(word) - set("abc"):
            raise Unreadable(f"a word of the letters a, b and c is asked for, found {word[:40]!r}")
        if self.first.accepts(word) == self.second.accepts(word):
            return Verdict.wrong("both match it, or neither does")
        shortest = len(self.shortest or "")
        if len(word) > shortest:
            return Verdict.wrong(f"it tells them apart, and a word of {shortest} letters does too")
        return Verdict.right()

    def solution(self) -> str:
        return self.shortest or "empty"

    def hardness(self) -> float:
        seen, level = {(1, 1)}, [(1, 1)]
        for _ in range(len(self.shortest or "")):
            level = [(self.first.step(a, c), self.second.step(b, c)) for a, b in level for c in "abc"]
            level = [pair for pair in dict.fromkeys(level) if pair not in seen]
            seen.update(level)
        return float(len(seen))

    def cheats(self) -> Sequence[str]:
        return (f"Answer: ({self.data['first']})", "Answer: a b c", "Answer: " + "a" * 60)


class DfaConstruction(Puzzle):
    """Build a deterministic automaton for a language given in words; any with few enough states is right.

    The limit on states is the size of the smallest one, which is found by minimisation.
    """

    family = "dfa_construction"
    knobs: ClassVar[Mapping[str, Knob]] = {
        "conditions": Knob(1, 2, "conditions that the words meet", 1, 3),
        "number": Knob(4, 7, "largest modulus, and letters of the longest pattern", 2, 7),
        "states": Knob(3, 8, "states of the smallest automaton, at least", 2, 16),
    }
    hardness_of = "states of the smallest automaton"
    floor: ClassVar[float] = 0.02

    @classmethod
    def generate(cls, rng: np.random.Generator, knobs: Knobs) -> Self:
        attempts = Draws(cls.family)
        while True:
            attempts.count()
            conditions: list[list[Any]] = []
            for _ in range(knobs["conditions"]):
                kind = list(_CONDITIONS)[int(rng.integers(len(_CONDITIONS)))]
                if kind == "count":
                    m = int(rng.integers(2, knobs["number"] + 1))
                    conditions.append(["count", "ab"[int(rng.integers(2))], m, int(rng.integers(m))])
                else:
                    size = int(rng.integers(2, knobs["number"] + 1))
                    conditions.append([kind, "".join("ab"[i] for i in rng.integers(2, size=size).tolist())])
            if len({str(c[0]) + str(c[1]) for c in conditions}) < len(conditions):
                continue
            puzzle = cls({"conditions": conditions})
            if knobs["states"] <= len(puzzle.smallest.table) <= 2 * knobs["states"] and puzzle.smallest.final:
                return puzzle

    def read(self, data: Mapping[str, Any]) -> None:
        fields.only(data, "conditions")
        rows = data["conditions"]
        if not (isinstance(rows, (list, tuple)) and 1 <= len(rows) <= 3):
            raise BadInput(f"'conditions' are 1 to 3 rows such as ['contains', 'ab'], found {rows!r:.80}")
        self.conditions: list[tuple[str, str, int, int]] = []
        for row in rows:
            if not (isinstance(row, (list, tuple)) and len(row) in (2, 4)):
                raise BadInput(f"a condition is a row such as ['contains', 'ab'], found {row!r:.80}")
            kind = fields.one_of({"conditions": row[0]}, "conditions", list(_CONDITIONS))
            if (kind == "count") != (len(row) == 4):
                raise BadInput(
                    f"'count' has a letter, a modulus and a rest, other conditions a pattern; found {row!r:.80}"
                )
            text = fields.text({"conditions": row[1]}, "conditions", "ab", most=1 if kind == "count" else 8)
            m, rest = fields.wholes({"conditions": list(row[2:])}, "conditions", 0, 9) if kind == "count" else (1, 0)
            if rest >= m:
                raise BadInput(f"the rest is smaller than the modulus, found {row!r:.80}")
            self.conditions.append((kind, text, m, rest))

    @functools.cached_property
    def smallest(self) -> Dfa:
        """The smallest automaton of the language."""
        found = minimal(_Product([_machine(*c) for c in self.conditions]), "ab", 600)
        assert found is not None, "three small machines have fewer states"
        return found

    def canonical(self) -> Any:
        return sorted(map(list, self.conditions))

    def question(self) -> str:
        words = "; and ".join(_CONDITIONS[kind].format(text, m, rest) for kind, text, m, rest in self.conditions)
        n = len(self.smallest.table)
        return (
            f"Build a complete deterministic automaton over the letters a and b that accepts exactly the words of "
            f"which this is true: {words}.\nIt has at most {n} states, numbered from 0, and starts in state 0.\n"
            "End with 'Answer:' and below it one line for each state in order: the state after a, the state after b, "
            "and 1 if the state is accepting or 0 if not, separated by blanks."
        )

    def answer_lines(self) -> int:
        return len(self.smallest.table)

    def judge(self, answer: str) -> Verdict:
        rows = [line for line in answer.split("\n") if line.strip(" `~")]
        n = len(self.smallest.table)
        if not 1 <= len(rows) <= n:
            raise Unreadable(f"1 to {n} lines are asked for, found {len(rows)}")
        table = [answers.wholes(row, count=3) for row in rows]
        if any(not 0 <= state < len(rows) for a, b, _ in table for state in (a, b)) or any(
            f not in (0, 1) for *_, f in table
        ):
            return Verdict.wrong(f"states go from 0 to {len(rows) - 1}, and accepting is 0 or 1")
        built = Dfa("ab", [row[:2] for row in table], {i for i, row in enumerate(table) if row[2]})
        word = difference(built, self.smallest, "ab")
        return Verdict.right() if word is None else Verdict.wrong(f"it is wrong about {word or 'the empty word'!r}")

    def solution(self) -> str:
        dfa = self.smallest
        return "\n".join(f"{a} {b} {int(i in dfa.final)}" for i, (a, b) in enumerate(dfa.table))

    def hardness(self) -> float:
        return float(len(self.smallest.table))

    def cheats(self) -> Sequence[str]:
        n = len(self.smallest.table)
        return ("Answer:\n0 0 1", "Answer:\n0 0 0", "Answer:\n" + "\n".join(["0 0 1"] * n), "Answer:\n" + "9 9 9\n" * n)


_CONDITIONS = {
    "count": "the number of letters {0}, divided by {1}, leaves the remainder {2}",
    "contains": "the word contains {0}",
    "avoids": "the word does not contain {0}",
    "begins": "the word begins with {0}",
    "ends": "the word ends with {0}",
}


def _machine(kind: str, text: str, m: int, rest: int) -> Dfa:
    """The automaton of one condition."""
    if kind == "count":
        table = [[(i + (text == c)) % m for c in "ab"] for i in range(m)]
        return Dfa("ab", table, {rest})
    n = len(text)
    if kind == "begins":
        table = [[i + 1 if text[i] == c else n + 1 for c in "ab"] for i in range(n)] + [[n, n], [n + 1, n + 1]]
        return Dfa("ab", table, {n})

    def after(i: int, c: str) -> int:  # the longest beginning of the pattern that ends here
        seen = text[:i] + c
        return next(k for k in range(min(n, len(seen)), -1, -1) if seen.endswith(text[:k]))

    table = [[after(i, c) for c in "ab"] for i in range(n + 1)]
    if kind in ("contains", "avoids"):
        table[n] = [n, n]
    return Dfa("ab", table, {n} if kind != "avoids" else set(range(n)))


class _Product:
    """Several automata that all have to accept; a state is a number in mixed base, plus 1 as `minimal` starts at 1."""

    def __init__(self, machines: list[Dfa]) -> None:
        self._machines = machines

    def _parts(self, state: int) -> list[int]:
        state -= 1
        parts = []
        for machine in self._machines:
            state, part = divmod(state, len(machine.table))
            parts.append(part)
        return parts

    def step(self, state: int, letter: str) -> int:
        total = 0
        for machine, part in reversed(list(zip(self._machines, self._parts(state), strict=True))):
            total = total * len(machine.table) + machine.table[part]["ab".index(letter)]
        return total + 1

    def is_final(self, state: int) -> bool:
        return all(part in machine.final for machine, part in zip(self._machines, self._parts(state), strict=True))
