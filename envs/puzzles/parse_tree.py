"""Parse trees of context-free grammars."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
from typing_extensions import Self

from proofgym.envs.puzzles import fields
from proofgym.envs.puzzles.answers import Unreadable
from proofgym.envs.puzzles.contract import Knob, Knobs, Puzzle
from proofgym.envs.puzzles.draws import Draws
from proofgym.errors import BadInput
from proofgym.verifiers import Verdict

__all__ = ["ParseTree"]

_NAMES, _LETTERS = "SABCDE", "abc"
_TOKEN = re.compile(r"\s*([()]|[A-Za-z])", re.ASCII)


class ParseTree(Puzzle):
    """Derive a word in a context-free grammar; any parse tree is right.

    Rules have the form X -> Y Z or X -> a (Chomsky normal form), and the word is found in the language by the algorithm
    of Cocke, Younger and Kasami.
    """

    family = "parse_tree"
    knobs: ClassVar[Mapping[str, Knob]] = {
        "names": Knob(3, 5, "nonterminals", 2, 6),
        "rules": Knob(2, 3, "rules with two nonterminals, for each of them", 1, 4),
        "length": Knob(4, 10, "letters of the word", 2, 16),
    }
    hardness_of = "nonterminals in the table of Cocke, Younger and Kasami"

    @classmethod
    def generate(cls, rng: np.random.Generator, knobs: Knobs) -> Self:
        names, n = _NAMES[: knobs["names"]], knobs["length"]
        attempts = Draws(cls.family)
        while True:
            attempts.count()
            rules: list[str] = []
            for name in names:
                while sum(rule[0] == name and len(rule) > 2 for rule in rules) < knobs["rules"]:
                    rule = name + "".join(names[i] for i in rng.integers(len(names), size=2).tolist())
                    if rule not in rules:
                        rules.append(rule)
                if name != "S" or rng.random() < 0.3:
                    rules.append(name + _LETTERS[int(rng.integers(3))])
            lengths = {
                name: [any(r[0] == name and len(r) == 2 for r in rules)] for name in names
            }  # of 1, 2, ... letters
            for size in range(2, n + 1):
                for name in names:
                    lengths[name].append(
                        any(
                            lengths[r[1]][k - 1] and lengths[r[2]][size - k - 1]
                            for r in rules
                            if r[0] == name and len(r) == 3
                            for k in range(1, size)
                        )
                    )
            if not lengths["S"][n - 1]:
                continue

            def word(name: str, size: int, rules: list[str] = rules, lengths: dict[str, list[bool]] = lengths) -> str:
                if size == 1:
                    ends = [r[1] for r in rules if r[0] == name and len(r) == 2]
                    return ends[int(rng.integers(len(ends)))]
                splits = [
                    (r[1], r[2], k)
                    for r in rules
                    if r[0] == name and len(r) == 3
                    for k in range(1, size)
                    if lengths[r[1]][k - 1] and lengths[r[2]][size - k - 1]
                ]
                left, right, k = splits[int(rng.integers(len(splits)))]
                return word(left, k) + word(right, size - k)

            return cls({"rules": rules, "word": word("S", n)})

    def read(self, data: Mapping[str, Any]) -> None:
        fields.only(data, "rules", "word")
        self.rules = fields.texts(data, "rules", _NAMES + _LETTERS, most=60, shortest=2, longest=3)
        for rule in self.rules:
            if rule[0] not in _NAMES or any((c in _NAMES) != (len(rule) == 3) for c in rule[1:]):
                raise BadInput(f"a rule is like 'SAB' for S -> A B or 'Sa' for S -> a, found {rule!r}")
        self.word = fields.text(data, "word", _LETTERS, least=2, most=24)
        self._known = set(self.rules)

    def prove(self) -> None:
        if self.tree is None:
            raise BadInput(f"the grammar does not derive {self.word!r}")

    @functools.cached_property
    def _table(self) -> dict[tuple[int, int], dict[str, tuple[str, int]]]:
        """For each stretch its nonterminals, each with the rule and the split that came first."""
        n = len(self.word)
        table: dict[tuple[int, int], dict[str, tuple[str, int]]] = {}
        pairs = [rule for rule in self.rules if len(rule) == 3]
        for i, c in enumerate(self.word):
            table[i, i + 1] = {rule[0]: (rule, 0) for rule in self.rules if rule[1:] == c}
        for size in range(2, n + 1):
            for i in range(n - size + 1):
                found: dict[str, tuple[str, int]] = {}
                for k in range(i + 1, i + size):
                    left, right = table[i, k], table[k, i + size]
                    if left and right:
                        for rule in pairs:
                            if rule[1] in left and rule[2] in right:
                                found.setdefault(rule[0], (rule, k))
                table[i, i + size] = found
        return table

    @property
    def tree(self) -> str | None:
        """One parse tree as text."""
        if "S" not in self._table[0, len(self.word)]:
            return None

        def written(name: str, i: int, j: int) -> str:
            rule, k = self._table[i, j][name]
            if j == i + 1:
                return f"({name} {self.word[i]})"
            return f"({name} {written(rule[1], i, k)} {written(rule[2], k, j)})"

        return written("S", 0, len(self.word))

    def canonical(self) -> Any:
        return [sorted(self.rules), self.word]

    def question(self) -> str:
        rules = "\n".join(f"{rule[0]} -> {' '.join(rule[1:])}" for rule in self.rules)
        return (
            f"A context-free grammar has the start symbol S and these rules:\n{rules}\nDerive the word {self.word}. "
            "Write a parse tree with brackets: a node is its nonterminal and its children, so S -> A B, A -> a, B -> "
            "b is (S (A a) (B b)).\n"
            "End with a line 'Answer: ' and the tree."
        )

    def judge(self, answer: str) -> Verdict:
        tokens: list[str] = []
        at = 0
        while at < len(answer) and len(tokens) < 8 * len(self.word) + 8:
            found = _TOKEN.match(answer, at)
            if not found:
                break
            tokens.append(found[1])
            at = found.end()
        if answer[at:].strip():
            raise Unreadable(f"a tree such as (S (A a) (B b)) is asked for, found {answer[at : at + 40]!r}")
        stack: list[list[str]] = [[]]  # the nonterminal and its children's labels; letters are children too
        leaves = []
        root = ""
        for place, sign in enumerate(tokens):
            if sign == "(":
                stack.append([])
            elif sign == ")":
                if len(stack) < 2 or len(stack[-1]) < 2:
                    raise Unreadable("the brackets of the tree do not match")
                node = stack.pop()
                if "".join(node) not in self._known:
                    return Verdict.wrong(f"there is no rule {node[0]} -> {' '.join(node[1:])}"[:120])
                stack[-1].append(node[0])
                if len(stack) == 1:
                    root = node[0]
                    if place < len(tokens) - 1:
                        raise Unreadable("something follows the tree")
            elif stack[-1] and sign in _LETTERS:
                leaves.append(sign)
                stack[-1].append(sign)
            elif len(stack) > 1 and not stack[-1] and sign in _NAMES:
                stack[-1].append(sign)
            else:
                raise Unreadable(f"{sign!r} has no place in the tree")
        if len(stack) != 1 or not root:
            raise Unreadable("the brackets of the tree do not match")
        if root != "S":
            return Verdict.wrong("the root is not S")
        if "".join(leaves) != self.word:
            return Verdict.wrong(f"it derives {''.join(leaves)}")
        return Verdict.right()

    def solution(self) -> str:
        tree = self.tree
        assert tree is not None
        return tree

    def hardness(self) -> float:
        return float(sum(map(len, self._table.values())))

    def cheats(self) -> Sequence[str]:
        flat = " ".join(self.word)
        return (
            f"Answer: (S {flat})",
            f"Answer: {self.word}",
            f"Answer: {'(S ' * 20}{flat}{')' * 20}",
            "Answer: (S (S a))",
        )
