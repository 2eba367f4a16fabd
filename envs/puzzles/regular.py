"""A closed grammar of regular expressions, their automata, and exact equivalence.

    union  = series ("|" series)*
    series = part+
    part   = (letter | "(" union ")") ("*" | "+" | "?")*

Expressions become Glushkov automata: one state for each letter, so a set of states is one integer. No expression that
somebody wrote is ever given to `re`.

Source:
    Glushkov 1961; equivalence by merging states, Hopcroft and Karp 1971.
"""

from __future__ import annotations

from collections import deque
from typing import Protocol

from proofgym.envs.puzzles.answers import Unreadable

__all__ = ["Automaton", "Dfa", "Machine", "difference", "minimal", "parse_regex"]

_MOST_LETTERS, _MOST_DEPTH, _MOST_PAIRS = 120, 30, 400


class Machine(Protocol):
    """What can be compared and minimised; the start is state 1, and states are whole numbers."""

    def step(self, states: int, letter: str) -> int:
        """The state after one more letter."""
        ...

    def is_final(self, states: int) -> bool:
        """Whether the state is final."""
        ...


class Automaton:
    """A Glushkov automaton: state 0 is the start, state i the i-th letter of the expression."""

    def __init__(self, letters: str, follow: list[int], final: int) -> None:
        self.letters, self._follow, self.final = letters, follow, final
        self._having = {c: sum(1 << i + 1 for i, d in enumerate(letters) if c == d) for c in set(letters)}

    def step(self, states: int, letter: str) -> int:
        """The states after one more letter."""
        after, rest = 0, states
        while rest:
            low = rest & -rest
            after |= self._follow[low.bit_length() - 1]
            rest ^= low
        return after & self._having.get(letter, 0)

    def accepts(self, word: str) -> bool:
        """Whether the expression matches a whole word."""
        states = 1
        for letter in word:
            states = self.step(states, letter)
        return self.is_final(states)

    def is_final(self, states: int) -> bool:
        """Whether a set of states holds a final one."""
        return bool(states & self.final)


class Dfa:
    """A complete deterministic automaton, in the form that `difference` compares: start 1, state i as bit i."""

    def __init__(self, alphabet: str, table: list[list[int]], final: set[int]) -> None:
        self.alphabet, self.table, self.final = alphabet, table, final

    def step(self, states: int, letter: str) -> int:
        """The state after one more letter."""
        return 1 << self.table[states.bit_length() - 1][self.alphabet.index(letter)]

    def is_final(self, states: int) -> bool:
        """Whether the state is final."""
        return states.bit_length() - 1 in self.final

    def accepts(self, word: str) -> bool:
        """Whether a word leads to a final state."""
        state = 1
        for letter in word:
            state = self.step(state, letter)
        return self.is_final(state)


def parse_regex(text: str, alphabet: str) -> Automaton:
    """Read an expression.

    Raises:
        Unreadable: With the reason.

    >>> automaton = parse_regex("(a|b)*ab", "ab")
    >>> automaton.accepts("aab"), automaton.accepts("aba")
    (True, False)
    """
    text = "".join(text.split())
    if len(text) > 1000:
        raise Unreadable(f"an expression has at most 1000 characters, found {len(text)}")
    return _Reader(text, alphabet).whole()


class _Reader:
    """Recursive descent; a part is (nullable, first, last), and `follow` grows on the way."""

    def __init__(self, text: str, alphabet: str) -> None:
        self.text, self.alphabet, self.at = text, alphabet, 0
        self.letters = ""
        self.follow = [0]

    def whole(self) -> Automaton:
        nullable, first, last = self.union(0)
        if self.at < len(self.text):
            raise Unreadable(f"{self.text[self.at]!r} at place {self.at + 1} is out of place")
        self.follow[0] = first
        return Automaton(self.letters, self.follow, last | nullable)

    def union(self, depth: int) -> tuple[int, int, int]:
        nullable, first, last = self.series(depth)
        while self.text.startswith("|", self.at):
            self.at += 1
            n, f, e = self.series(depth)
            nullable, first, last = nullable | n, first | f, last | e
        return nullable, first, last

    def series(self, depth: int) -> tuple[int, int, int]:
        nullable, first, last = self.part(depth)
        while self.at < len(self.text) and self.text[self.at] not in "|)":
            n, f, e = self.part(depth)
            self.link(last, f)
            first |= f if nullable else 0
            last = e | (last if n else 0)
            nullable &= n
        return nullable, first, last

    def part(self, depth: int) -> tuple[int, int, int]:
        sign = self.text[self.at : self.at + 1]
        self.at += 1
        if sign == "(":
            if depth >= _MOST_DEPTH:
                raise Unreadable(f"parentheses nest at most {_MOST_DEPTH} deep")
            nullable, first, last = self.union(depth + 1)
            if not self.text.startswith(")", self.at):
                raise Unreadable("a ')' is missing")
            self.at += 1
        elif sign and sign in self.alphabet:
            self.letters += sign
            if len(self.letters) > _MOST_LETTERS:
                raise Unreadable(f"an expression has at most {_MOST_LETTERS} letters")
            self.follow.append(0)
            nullable, first, last = 0, 1 << len(self.letters), 1 << len(self.letters)
        else:
            raise Unreadable(
                f"a letter of {self.alphabet} or '(' should stand {f'before {sign!r}' if sign else 'at the end'}"
            )
        while self.at < len(self.text) and self.text[self.at] in "*+?":
            if self.text[self.at] in "*+":
                self.link(last, first)
            if self.text[self.at] in "*?":
                nullable = 1
            self.at += 1
        return nullable, first, last

    def link(self, last: int, first: int) -> None:
        while last:
            low = last & -last
            self.follow[low.bit_length() - 1] |= first
            last ^= low


def difference(one: Machine, two: Machine, alphabet: str) -> str | None:
    """A shortest word that exactly one of two automata accepts, or `None` if there is none.

    Raises:
        Unreadable: If more than a few hundred pairs of states have to be looked at.
    """
    queue, seen = deque([(1, 1, "")]), {(1, 1)}
    while queue:
        a, b, word = queue.popleft()
        if one.is_final(a) != two.is_final(b):
            return word
        for letter in alphabet:
            pair = (one.step(a, letter), two.step(b, letter))
            if pair not in seen:
                if len(seen) >= _MOST_PAIRS:
                    raise Unreadable("the expression is too complex to compare")
                seen.add(pair)
                queue.append((*pair, word + letter))
    return None


def minimal(automaton: Machine, alphabet: str, most: int = 64) -> Dfa | None:
    """The smallest complete deterministic automaton, states in breadth-first order; `None` above a number of states."""
    states, queue = {1: 0}, deque([1])
    table: list[list[int]] = []
    final = []
    while queue:
        state = queue.popleft()
        final.append(automaton.is_final(state))
        row = []
        for letter in alphabet:
            after = automaton.step(state, letter)
            if after not in states:
                if len(states) >= most:
                    return None
                states[after] = len(states)
                queue.append(after)
            row.append(states[after])
        table.append(row)
    block = [int(f) for f in final]
    while True:  # Moore's refinement
        kinds: dict[tuple[int, ...], int] = {}
        finer = [kinds.setdefault((block[i], *(block[j] for j in row)), len(kinds)) for i, row in enumerate(table)]
        if len(kinds) == len(set(block)):
            break
        block = finer
    order: dict[int, int] = {}
    queue = deque([0])
    order[block[0]] = 0
    rows: list[list[int]] = []
    accepting: set[int] = set()
    while queue:
        i = queue.popleft()
        if final[i]:
            accepting.add(order[block[i]])
        row = []
        for j in table[i]:
            if block[j] not in order:
                order[block[j]] = len(order)
                queue.append(j)
            row.append(order[block[j]])
        rows.append(row)
    return Dfa(alphabet, rows, accepting)
