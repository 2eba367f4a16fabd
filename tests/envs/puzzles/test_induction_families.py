"""Induction: answers are unique within the stated grammar, and agree with slow, plain implementations."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from proofgym.envs.puzzles import family
from proofgym.envs.puzzles.arc_grid import ArcGrid
from proofgym.envs.puzzles.cellular_automaton import run
from proofgym.envs.puzzles.life import _bits, _text, grown
from proofgym.envs.puzzles.list_function import ListFunction
from proofgym.errors import BadInput


def drawn(name: str, count: int, level: float = 0.5, seed: int = 9) -> list[Any]:
    kind = family(name)
    return [kind.generate(np.random.default_rng([seed, i]), kind.settings(level)) for i in range(count)]


def plain_life(rows: list[str]) -> list[str]:
    alive = {(r, c) for r, row in enumerate(rows) for c, cell in enumerate(row) if cell == "#"}
    after = []
    for r, row in enumerate(rows):
        line = ""
        for c in range(len(row)):
            n = sum((r + y, c + x) in alive for y in (-1, 0, 1) for x in (-1, 0, 1) if x or y)
            line += "#" if n == 3 or (n == 2 and (r, c) in alive) else "."
        after.append(line)
    return after


@given(st.integers(1, 9).flatmap(lambda w: st.lists(st.text("#.", min_size=w, max_size=w), min_size=1, max_size=9)))
def test_life_agrees_with_counting_neighbours(rows: list[str]) -> None:
    assert _text(grown([_bits(row) for row in rows], len(rows[0])), len(rows[0])) == plain_life(rows)


def test_life_by_hand() -> None:
    asked = {"board": [".....", "..#..", "..#..", "..#..", "....."], "generations": 1}
    puzzle = family("LifeForward").from_instance(asked)
    assert puzzle.solution().split("\n")[2] == ".###."
    assert puzzle.verify("Answer:\n. . . . .\n. . . . .\n. # # # .\n. . . . .\n. . . . .").correct
    assert not puzzle.verify("Answer:\n.....\n..#..\n..#..\n..#..\n.....").correct
    back = family("LifePredecessor").from_instance(
        {"board": [".....", ".....", ".###.", ".....", "....."], "solution": asked["board"]}
    )
    assert back.verify("Answer:\n.....\n..#..\n..#..\n..#..\n.....").correct
    assert not back.verify("Answer:\n.....\n.....\n.###.\n.....\n.....").correct


def test_every_predecessor_is_right_and_no_other_board() -> None:
    seed = ["##.", "#..", "..."]
    puzzle = family("LifePredecessor").from_instance({"board": plain_life(seed), "solution": seed})
    right = 0
    for cells in map("".join, itertools.product(".#", repeat=9)):
        rows = [cells[:3], cells[3:6], cells[6:]]
        correct = puzzle.verify("Answer:\n" + "\n".join(rows)).correct
        assert correct == (plain_life(rows) == plain_life(seed))
        right += correct
    assert right > 1


def test_elementary_automata_agree_with_a_table() -> None:
    rng = np.random.default_rng(1)
    for rule in range(0, 256, 7):
        table = {
            hood: "#" if rule >> i & 1 else "."
            for i, hood in enumerate(map("".join, itertools.product(".#", repeat=3)))
        }
        row = "".join(".#"[i] for i in rng.integers(2, size=11).tolist())
        ring = row[-1] + row + row[0]
        assert run(rule, row, 1) == "".join(table[ring[i : i + 3]] for i in range(11))


def test_every_rule_that_fits_is_right_and_no_other() -> None:
    for puzzle in drawn("AutomatonRule", 3):
        for rule in range(256):
            text = f"{rule:08b}".replace("0", ".").replace("1", "#")
            fits = all(run(rule, one, puzzle.apart) == two for one, two in puzzle.pairs)
            assert puzzle.verify(f"Answer: {text}").correct == fits
    with pytest.raises(BadInput, match="no rule"):
        family("AutomatonRule").from_instance({"pairs": [["#.#.#.", "#....."]], "apart": 1})


@pytest.mark.parametrize("kind", [ArcGrid, ListFunction])
def test_all_rules_that_fit_agree(kind: Any) -> None:
    """Recounted by going through every pair of operations on every example, without pruning."""
    for puzzle in drawn(kind.__name__, 4):
        operations = list(kind.operations.values())
        outcomes = []
        for rule in [*((f,) for f in operations), *itertools.product(operations, repeat=2)]:
            results = []
            for value in [*(one for one, _ in puzzle.pairs), puzzle.test]:
                for operation in rule:
                    value = None if value is None else operation(value)
                results.append(value)
            if results[:-1] == [two for _, two in puzzle.pairs]:
                outcomes.append(results[-1])
        assert outcomes
        assert all(outcome == puzzle.outcome for outcome in outcomes)


GRID = ("10", "23", "00")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("turn the grid clockwise by 90 degrees", ("021", "030")), ("mirror it, left to right", ("01", "32", "00")),
        ("exchange rows and columns", ("120", "030")), ("let everything but 0 fall to the bottom", ("00", "10", "23")),
        ("cut off the outer rows and columns that are all 0", ("10", "23")), ("exchange 1 and 2", ("20", "13", "00")),
        ("append the mirror image at the bottom", ("10", "23", "00", "00", "23", "10")),
        ("move all cells down by one, the last row to the top", ("00", "10", "23")),
        ("turn it counter-clockwise by 90 degrees", ("030", "120")), ("make every 3 a 0", ("10", "20", "00")),
        ("let everything but 0 rise to the top", ("13", "20", "00")),
    ],
)  # fmt: skip
def test_grid_operations_by_hand(name: str, expected: tuple[str, ...]) -> None:
    assert ArcGrid.operations[name](GRID) == expected


def test_examples_that_do_not_settle_the_rule_are_refused() -> None:
    with pytest.raises(BadInput, match="do not agree"):
        family("ArcGrid").from_instance({"pairs": [[["11", "11"], ["11", "11"]]], "test": ["12", "34"], "depth": 1})
    with pytest.raises(BadInput, match="do not agree"):
        family("ListFunction").from_instance({"pairs": [[[1], [99]]], "test": [1, 2], "depth": 2})


def test_sequences_by_hand() -> None:
    fibonacci = family("NumberSequence").from_instance({"terms": [1, 2, 3, 5, 8, 13, 21]})
    assert fibonacci.solution() == "34 55 89"
    assert fibonacci.verify("Answer: 34, 55, 89").correct
    assert not fibonacci.verify("Answer: 34, 55, 90").correct
    factorials = family("NumberSequence").from_instance({"terms": [1, 2, 6, 24, 120, 720]})
    assert factorials.solution() == "5040 40320 362880"
    with pytest.raises(BadInput, match="do not agree"):
        family("NumberSequence").from_instance({"terms": [1, 2, 100, 3, 77, 12]})


def test_sequences_have_one_shortest_continuation() -> None:
    """Recounted with plain evaluation of every formula of one and two operands."""
    for puzzle in drawn("NumberSequence", 5, level=0.0):
        terms = list(puzzle.terms)
        leaves = [lambda n, p, q: n, lambda n, p, q: p, lambda n, p, q: q]
        leaves += [lambda n, p, q, c=c: c for c in range(1, 10)]  # type: ignore[misc]
        joins = (lambda a, b: a + b, lambda a, b: a - b, lambda a, b: a * b)
        formulas = [
            lambda n, p, q, f=f, g=g, j=j: j(f(n, p, q), g(n, p, q)) for f in leaves for g in leaves for j in joins
        ]
        ahead = set()
        for formula in formulas:
            if all(formula(i + 1, terms[i - 1], terms[i - 2]) == terms[i] for i in range(2, len(terms))):
                more = terms.copy()
                for _ in range(3):
                    more.append(formula(len(more) + 1, more[-1], more[-2]))
                ahead.add(tuple(more[-3:]))
        assert ahead == {tuple(puzzle.ahead)}
