"""Sudoku: one solution by an independent count, variants, near misses, and relabelled boards."""

from __future__ import annotations

import numpy as np
import pytest

from proofgym.envs.puzzles.sudoku_grid import Sudoku
from proofgym.errors import BadInput

# A board and its solution from Wikipedia's article on sudoku.
BOARD = [
    "53..7....", "6..195...", ".98....6.",
    "8...6...3", "4..8.3..1", "7...2...6",
    ".6....28.", "...419..5", "....8..79",
]  # fmt: skip
FULL = [
    "534678912", "672195348", "198342567",
    "859761423", "426853791", "713924856",
    "961537284", "287419635", "345286179",
]  # fmt: skip


def solutions(givens: str, size: int, units: list[list[int]], most: int = 3) -> int:
    """A plain count by trying every symbol in every cell, with nothing clever in it."""
    at = givens.find(".")
    if at < 0:
        return 1
    count = 0
    near = {n for unit in units if at in unit for n in unit}
    for symbol in "123456789"[:size]:
        if all(givens[n] != symbol for n in near):
            count += solutions(givens[:at] + symbol + givens[at + 1 :], size, units, most)
            if count >= most:
                break
    return count


def units_of(puzzle: Sudoku) -> list[list[int]]:
    size = puzzle.rows
    high, wide = {4: (2, 2), 6: (2, 3)}[size]
    names = "".join(puzzle.data["regions"]) if "regions" in puzzle.data else None
    cells = range(size * size)
    box = [names[at] if names else str((at // size // high, at % size // wide)) for at in cells]
    units = [[at for at in cells if at // size == n] for n in range(size)]
    units += [[at for at in cells if at % size == n] for n in range(size)]
    units += [[at for at in cells if box[at] == name] for name in sorted(set(box))]
    if puzzle.data["variant"] == "diagonal":
        units.append([at for at in cells if at // size == at % size])
        units.append([at for at in cells if at // size + at % size == size - 1])
    return units


@pytest.mark.parametrize("variant", ["plain", "diagonal", "jigsaw"])
def test_there_is_exactly_one_solution_by_a_plain_count(variant: str) -> None:
    for level, count in ((0.0, 20), (0.4, 4)):
        for i in range(count):
            puzzle = Sudoku.generate(np.random.default_rng([1, i]), Sudoku.settings(level, {"variant": variant}))
            assert all(len(unit) == puzzle.rows for unit in units_of(puzzle))
            assert solutions("".join(puzzle.givens), puzzle.rows, units_of(puzzle)) == 1


def test_a_known_board_and_near_misses() -> None:
    puzzle = Sudoku.from_instance({"board": BOARD, "variant": "plain"})
    full = "\n".join(FULL)
    assert puzzle.verify(full).correct
    assert puzzle.verify("Answer:\n" + "\n".join("|".join(row) for row in FULL)).correct
    assert puzzle.solution().replace(" ", "") == full
    swapped = full.replace("4", "x").replace("6", "4").replace("x", "6")  # keeps the rules, breaks the givens
    assert "given" in puzzle.verify(swapped).reason
    rows = FULL.copy()
    rows[0] = "534687912"
    assert not puzzle.verify("\n".join(rows)).correct
    assert puzzle.verify("\n".join(FULL[:8])).score == 0.0
    assert puzzle.verify(full.replace("5", "0")).status.value == "malformed"


def test_sixteen_symbols_and_every_size() -> None:
    for size in (4, 6, 8, 9, 10, 12, 15, 16):
        puzzle = Sudoku.generate(np.random.default_rng(size), Sudoku.settings(0.5, {"size": size, "clues": 0.6}))
        assert puzzle.rows == size
        assert puzzle.verify(puzzle.solution()).correct


def test_symbols_renamed_make_no_new_task() -> None:
    one = Sudoku({"board": BOARD, "variant": "plain"})
    other = Sudoku(
        {"board": [row.translate(str.maketrans("123456789", "912345678")) for row in BOARD], "variant": "plain"}
    )
    assert one.canonical() == other.canonical()
    assert one.canonical() != Sudoku({"board": [*BOARD[:8], "........9"], "variant": "plain"}).canonical()


def test_boards_without_a_solution_or_with_very_many_are_refused() -> None:
    with pytest.raises(BadInput, match="no solution"):
        Sudoku.from_instance({"board": ["55.......", *BOARD[1:]], "variant": "plain"})
    with pytest.raises(BadInput, match="more than"):
        Sudoku.from_instance({"board": ["...."] * 4, "variant": "plain"})
    with pytest.raises(BadInput, match="square"):
        Sudoku.from_instance({"board": ["....."] * 5, "variant": "plain"})
    with pytest.raises(BadInput, match="regions"):
        Sudoku.from_instance({"board": ["1..."] * 4, "variant": "jigsaw", "regions": ["1111", "2222", "3333", "1234"]})


def test_two_solutions_are_both_right_and_the_nearer_one_is_the_goal() -> None:
    full = "1234341221434321"
    puzzle = Sudoku.from_instance({"board": ["12..", "34..", "21..", "43.."], "variant": "plain"})
    goals = puzzle.solutions()
    assert len(goals) > 1
    for goal in goals:
        assert puzzle.verify(puzzle.drawn(goal)).correct
    assert puzzle.verify("\n".join(full[n : n + 4] for n in (0, 4, 8, 12))).correct
    state = puzzle.apply(puzzle.start(), "r1c3=3")
    assert puzzle.distance(state) == 7
    assert puzzle.distance(puzzle.apply(puzzle.start(), "r1c3=1")) == 9


def test_killer_boards_have_one_solution_among_all_288() -> None:
    boards: list[str] = []

    def fill(cells: str) -> None:
        if len(cells) == 16:
            boards.append(cells)
            return
        r, c = divmod(len(cells), 4)
        for symbol in "1234":
            near = [
                n for n in range(len(cells)) if n // 4 == r or n % 4 == c or (n // 8, n % 4 // 2) == (r // 2, c // 2)
            ]
            if all(cells[n] != symbol for n in near):
                fill(cells + symbol)

    fill("")
    assert len(boards) == 288
    for i in range(40):
        puzzle = Sudoku.generate(np.random.default_rng([9, i]), Sudoku.settings(0.0, {"variant": "killer"}))
        fits = [
            board
            for board in boards
            if all(given in (".", cell) for given, cell in zip(puzzle.givens, board, strict=True))
            and all(
                sum(int(board[at]) for at in where) == total and len({board[at] for at in where}) == len(where)
                for total, where in puzzle.data["cages"]
            )
        ]
        assert fits == ["".join(puzzle.solutions()[0])]


def test_cages_are_kept_and_checked() -> None:
    data = {"board": ["12..", "34..", "21..", "43.."], "variant": "killer", "cages": [[3, [2, 6]]]}
    with pytest.raises(BadInput, match="no solution"):
        Sudoku.from_instance({**data, "cages": [[8, [2, 6]]]})
    puzzle = Sudoku.from_instance({**data, "cages": [[4, [2, 6]]]})
    assert puzzle.verify("1234\n3412\n2143\n4321").correct
    assert "cage" in puzzle.verify("1243\n3421\n2134\n4312").reason
    for cages in ([], [[4]], [[4, [2, 2]]], [[4, [2, 6]], [3, [6, 7]]], [[99, [2]]], [[4, [2, 16]]]):
        with pytest.raises(BadInput):
            Sudoku.from_instance({**data, "cages": cages})


def test_the_regions_of_a_jigsaw_are_irregular_and_in_one_piece() -> None:
    puzzle = Sudoku.generate(np.random.default_rng(3), Sudoku.settings(1.0, {"variant": "jigsaw"}))
    regions = puzzle.data["regions"]
    of = {(r, c): name for r, row in enumerate(regions) for c, name in enumerate(row)}
    assert any(len({of[r, c], of[r // 3 * 3, c // 3 * 3]}) > 1 for r, c in of)
    for name in set(of.values()):
        stack = [next(cell for cell in of if of[cell] == name)]
        seen = set(stack)
        while stack:
            r, c = stack.pop()
            for near in ((r - 1, c), (r + 1, c), (r, c - 1), (r, c + 1)):
                if of.get(near) == name and near not in seen:
                    seen.add(near)
                    stack.append(near)
        assert len(seen) == 9
