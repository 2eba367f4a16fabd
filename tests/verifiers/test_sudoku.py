"""Sudoku is judged by its rules, and its solutions are counted exactly."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proofgym.verifiers.puzzles.sudoku import GRIDS, PEERS, SudokuVerifier, count_solutions, distance, solutions

GIVENS, SOLUTION = "1....23....4....", "1342423131242413"
JUDGE = SudokuVerifier(GIVENS)
ROWS = "\n".join(SOLUTION[i : i + 4] for i in range(0, 16, 4))

positions = st.lists(st.sampled_from("....1234"), min_size=16, max_size=16).map("".join)
parts_of_grids = st.tuples(st.sampled_from(GRIDS), st.sets(st.integers(0, 15))).map(
    lambda drawn: "".join("." if cell in drawn[1] else digit for cell, digit in enumerate(drawn[0]))
)


def keeps_the_rules(grid: str) -> bool:
    """The rules as sets, written a second time on purpose."""
    rows = [set(grid[i : i + 4]) for i in range(0, 16, 4)]
    columns = [set(grid[i::4]) for i in range(4)]
    boxes = [{grid[i], grid[i + 1], grid[i + 4], grid[i + 5]} for i in (0, 2, 8, 10)]
    return all(unit == set("1234") for unit in rows + columns + boxes)


def backtrack(cells: str) -> list[str]:
    cell = cells.find(".")
    if cell < 0:
        return [cells] if keeps_the_rules(cells) else []
    row, column = divmod(cell, 4)
    box = [(row // 2 * 2 + r) * 4 + column // 2 * 2 + c for r in (0, 1) for c in (0, 1)]
    seen = {cells[i] for i in (*range(row * 4, row * 4 + 4), *range(column, 16, 4), *box)}
    return [full for d in "1234" if d not in seen for full in backtrack(cells[:cell] + d + cells[cell + 1 :])]


def test_there_are_288_grids_and_each_keeps_the_rules() -> None:
    assert len(set(GRIDS)) == 288
    assert all(map(keeps_the_rules, GRIDS))
    assert sorted(GRIDS) == list(GRIDS) == backtrack("." * 16)
    assert all(len(peers) == 7 for peers in PEERS)


@given(st.one_of(positions, parts_of_grids))
def test_solutions_are_counted_as_a_second_solver_counts_them(position: str) -> None:
    expected = backtrack(position)
    assert solutions(position) == expected
    assert count_solutions(position) == len(expected)


@given(st.sampled_from(GRIDS), st.sampled_from(GRIDS), st.sets(st.integers(0, 15)))
def test_the_distance_is_zero_at_the_goal_and_one_a_move(goal: str, other: str, empty: set[int]) -> None:
    cells = "".join("." if cell in empty else digit for cell, digit in enumerate(other))
    at = distance(cells, [goal])
    assert (at == 0) == (cells == goal)
    for cell, held in enumerate(cells):
        for after in ".1234" if held != "." else "1234":
            moved = cells[:cell] + after + cells[cell + 1 :]
            if held == "." or after == ".":
                assert abs(distance(moved, [goal]) - at) <= 1


@pytest.mark.parametrize(
    "answer",
    [
        ROWS, ROWS.replace("", " "), ROWS.replace("2", "2 |"), f"Let me see.\n\n{ROWS}\n", f"1234\n1234\n\nNo:\n{ROWS}",
        "1 3 | 4 2\n4 2 | 3 1\n----+----\n3 1 | 2 4\n2 4 | 1 3", "1,3,4,2\r\n4,2,3,1\r\n3,1,2,4\r\n2,4,1,3\r\n",
        f"```\n{ROWS}\n```", f"{ROWS[:9]}\n\n{ROWS[10:]}",
        f"{ROWS}\nAll rows, columns and boxes hold each digit once.", f"4321\n{ROWS}",
    ],
)  # fmt: skip
def test_the_grid_in_fair_forms_is_right(answer: str) -> None:
    verdict, (credit,) = JUDGE.grade(answer)
    assert verdict.correct
    assert credit.value == 1.0
    assert "".join(c for c in answer[credit.start : credit.end] if c in "1234") == SOLUTION


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ("", "no row"),
        ("1342", "has 1, not 4"),
        (f"{ROWS}\nor\n1234", "has 1, not 4"),
        (f"{ROWS}\n\n1234", "given as 1, found 4"),
        ("1 . . .\n. 2 3 .\n. . . 4\n. . . .", "no row"),
        (f"{ROWS}\n{ROWS[:14]}\n4213", "4 stands twice in one column"),
        ("2143\n3421\n4312\n1234", "row 1 column 1 is given as 1"),
        ("1243\n4231\n3124\n2413", "twice in one"),
        ("1342\n4231\n3124\n5413", "has 3, not 4"),
        ("١٣٤٢\n٤٢٣١\n٣١٢٤\n٢٤١٣", "no row"),
        (SOLUTION, "no row"),
        ("1342 4231 3124 2413", "no row"),
    ],
)
def test_other_answers_earn_nothing_and_say_why(answer: str, said: str) -> None:
    verdict, credits_ = JUDGE.grade(answer)
    assert not verdict.correct
    assert said in verdict.reason
    assert sum(credit.value for credit in credits_) == 0.0


@given(parts_of_grids, st.sampled_from(GRIDS))
def test_a_grid_is_right_exactly_when_it_completes_the_givens(givens: str, grid: str) -> None:
    answer = "\n".join(grid[i : i + 4] for i in range(0, 16, 4))
    expected = all(given in (".", digit) for given, digit in zip(givens, grid, strict=True))
    assert SudokuVerifier(givens).verify(answer).correct == expected


@given(st.lists(st.sampled_from("1234"), min_size=16, max_size=16).map("".join))
def test_a_grid_that_breaks_a_rule_is_wrong(grid: str) -> None:
    answer = "\n".join(grid[i : i + 4] for i in range(0, 16, 4))
    assert SudokuVerifier("." * 16).verify(answer).correct == keeps_the_rules(grid)
