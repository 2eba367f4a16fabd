"""Sudoku: the puzzles are what they claim, and the steps' pay telescopes and cannot be farmed."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable

import numpy as np
import pytest

from proofgym.envs.base import VerifiableEnv
from proofgym.envs.puzzles.sudoku import Sudoku4, Sudoku4Steps
from proofgym.errors import BadInput
from proofgym.verifiers import Status

MakeEnv = Callable[..., VerifiableEnv]
SOLUTION = "1342423131242413"


def legal(cells: str, cell: int, digit: str) -> bool:
    """The rules, written a second time on purpose."""
    row, column = divmod(cell, 4)
    for other, held in enumerate(cells):
        r, c = divmod(other, 4)
        together = r == row or c == column or (r // 2, c // 2) == (row // 2, column // 2)
        if other != cell and together and held == digit:
            return False
    return True


def backtrack(cells: str) -> list[str]:
    cell = cells.find(".")
    if cell < 0:
        return [cells]
    return [
        full for d in "1234" if legal(cells, cell, d) for full in backtrack(cells[:cell] + d + cells[cell + 1 :])
    ]  # fmt: skip


def neighbours(cells: str, givens: str) -> list[str]:
    moves = []
    for cell, held in enumerate(cells):
        if held == ".":
            moves += [cells[:cell] + d + cells[cell + 1 :] for d in "1234" if legal(cells, cell, d)]
        elif givens[cell] == ".":
            moves.append(cells[:cell] + "." + cells[cell + 1 :])
    return moves


def moves_to_full(cells: str, givens: str) -> int:
    reached, queue = {cells}, deque([(cells, 0)])
    while queue:
        at, moves = queue.popleft()
        if "." not in at:
            return moves
        for after in neighbours(at, givens):
            if after not in reached:
                reached.add(after)
                queue.append((after, moves + 1))
    raise AssertionError("a solvable grid was not solved")


def steps_env(givens: str, **kwargs: int) -> Sudoku4Steps:
    env = Sudoku4Steps(**kwargs)
    env.reset(options={"instance": {"givens": givens}})
    return env


@pytest.mark.parametrize("level", [0.0, 0.5, 1.0])
def test_generated_puzzles_have_one_solution(level: float) -> None:
    env = Sudoku4(level=level)
    for index in range(100):
        env.reset(seed=1, options={"index": index})
        givens = env.state()["instance"]["givens"]
        assert len(backtrack(givens)) == 1
        assert env.oracle().replace(" ", "").replace("\n", "") == backtrack(givens)[0]


def test_clues_fall_with_the_level() -> None:
    rng = np.random.default_rng(0)
    clues = [
        np.mean([16 - Sudoku4(level=level).generate(rng)["givens"].count(".") for _ in range(40)])
        for level in (0.0, 0.25, 0.5, 0.75, 1.0)
    ]
    assert clues == sorted(clues, reverse=True)
    assert clues[0] == 8.0
    assert clues[-1] < 5.0


def test_renaming_digits_makes_no_new_puzzle() -> None:
    env = Sudoku4()
    _, info = env.reset(options={"instance": {"givens": "1....23....4...."}})
    _, renamed = env.reset(options={"instance": {"givens": "3....14....2...."}})
    _, other = env.reset(options={"instance": {"givens": "1....23....4...3"}})
    assert info["task"]["fingerprint"] == renamed["task"]["fingerprint"]
    assert info["task"]["fingerprint"] != other["task"]["fingerprint"]


def test_both_forms_hold_out_the_same_puzzles() -> None:
    given = {"instance": {"givens": "1....23....4...."}}
    one, other = Sudoku4().reset(options=given)[1], Sudoku4Steps().reset(options=given)[1]
    assert one["task"]["fingerprint"] == other["task"]["fingerprint"]


def test_a_state_of_the_other_form_is_refused() -> None:
    one, other = Sudoku4(), Sudoku4Steps()
    one.reset(seed=1)
    with pytest.raises(BadInput, match="16 'cells'"):
        other.restore(one.state())


def test_any_completion_of_a_puzzle_with_several_is_right() -> None:
    env = Sudoku4()
    for full in backtrack("1...2..........."):
        env.reset(options={"instance": {"givens": "1...2..........."}})
        assert env.step("\n".join(full[i : i + 4] for i in range(0, 16, 4)))[1] == 1.0


@pytest.mark.parametrize(
    "bad", ["11..............", SOLUTION, "1....23....4...", "1....23....4...5", "12..3......1..1."]
)
def test_puzzles_without_a_question_or_a_solution_are_refused(bad: str) -> None:
    with pytest.raises(BadInput, match=r"empty cell|no solution|16 characters"):
        Sudoku4().reset(options={"instance": {"givens": bad}})


def test_the_potential_counts_the_moves_that_a_search_finds() -> None:
    rng = np.random.default_rng(3)
    for _ in range(25):
        holes = rng.choice(16, size=6, replace=False).tolist()
        givens = "".join("." if cell in holes else digit for cell, digit in enumerate(SOLUTION))
        env = steps_env(givens)
        for _ in range(int(rng.integers(6))):
            moves = env.admissible()
            if "." not in env.state()["inner"]["cells"] or env.step(str(rng.choice(moves)))[2]:
                break
        cells = env.state()["inner"]["cells"]
        assert (1 - env.potential()) * 6 == pytest.approx(moves_to_full(cells, givens))


def test_the_potential_is_exact_where_several_grids_are_right() -> None:
    givens = "1342....3124...."  # four ways to fill it
    rng = np.random.default_rng(4)
    assert len(backtrack(givens)) > 1
    for _ in range(10):
        env = steps_env(givens)
        for _ in range(int(rng.integers(5))):
            if env.step(str(rng.choice(env.admissible())))[2]:
                break
        cells = env.state()["inner"]["cells"]
        assert (1 - env.potential()) * 8 == pytest.approx(moves_to_full(cells, givens))


def test_rewards_telescope_on_random_walks_so_no_cycle_earns(make_env: MakeEnv) -> None:
    env = make_env("proofgym/Sudoku4Steps-v0", max_turns=300)
    rng = np.random.default_rng(5)
    for index in range(15):
        _, info = env.reset(seed=5, options={"index": index})
        earned, at = 0.0, {env.state()["inner"]["cells"]: 0.0}
        for _ in range(200):
            moves = [*info["admissible"], "row 1 column 1 = 1", "clear row 2 column 2", "nonsense"]
            _, reward, over, _, info = env.step(moves[int(rng.integers(len(moves)))])
            earned += reward
            assert earned == pytest.approx(env.potential(), abs=1e-9)
            cells = env.state()["inner"]["cells"]
            assert earned == pytest.approx(at.setdefault(cells, earned), abs=1e-9), "a way back to a position paid"
            if over:
                assert earned == pytest.approx(1.0, abs=1e-9)
                break


def test_all_admissible_moves_and_no_others_are_carried_out() -> None:
    env = steps_env("1....23....4....")
    env.step("row 1 column 2 = 3")
    listed = set(env.admissible())
    names = [f"row {r} column {c}" for r in range(1, 5) for c in range(1, 5)]
    for move in [f"{name} = {d}" for name in names for d in "1234"] + [f"clear {name}" for name in names]:
        fork = env.fork()
        before = fork.state()["inner"]
        observation, reward, _, _, info = fork.step(move)
        assert (fork.state()["inner"] != before) == (move in listed)
        if move not in listed:
            assert reward == 0.0
            assert observation.startswith("Not allowed: ")
            assert info["admissible"] == env.admissible()


@pytest.mark.parametrize(
    ("move", "said"),
    [
        ("row 1 column 1 = 2", "is given and stays"),
        ("clear row 1 column 1", "is given and stays"),
        ("row 1 column 2 = 4", "holds 3; clear it first"),
        ("clear row 4 column 4", "is empty already"),
        ("row 1 column 3 = 3", "3 stands in the same row at row 1 column 2"),
        ("row 4 column 1 = 1", "1 stands in the same column at row 1 column 1"),
        ("row 2 column 1 = 1", "1 stands in the same column"),
        ("row 4 column 4 = 4", "4 stands in the same column"),
        ("row 4 column 3 = 4", "4 stands in the same box at row 3 column 4"),
        ("row 5 column 1 = 1", "go from 1 to 4"),
        ("row 1 column 2 = 0", "go from 1 to 4"),
        ("fill it", "not a move"),
        ("clear", "not a move"),
        ("1 2", "not a move"),
        ("clear 1 2 3", "not a move"),
        ("row ١ column ٢ = ٣", "not a move"),
        ("", "not a move"),
    ],
)
def test_refused_moves_are_explained_and_change_nothing(move: str, said: str) -> None:
    env = steps_env("1....23....4....")
    env.step("row 1 column 2 = 3")
    before = env.state()["inner"]
    observation, reward, terminated, _, _ = env.step(move)
    assert said in observation.splitlines()[0]
    assert (reward, terminated, env.state()["inner"]) == (0.0, False, before)


@pytest.mark.parametrize(
    "move", ["1 2 3", "r1c2=3", "R1 C2 = 3", "row 1, column 2: 3", "set 1 2 3", "so I play\n 1,2,3 "]
)
def test_a_move_may_be_written_in_several_ways(move: str) -> None:
    env = steps_env("1....23....4....")
    _, reward, _, _, info = env.step(move)
    assert reward == pytest.approx(1 / 12)
    (credit,) = info["credits"]
    assert move[credit.start : credit.end] == move.splitlines()[-1].strip()


def test_the_observation_does_not_say_whether_a_move_was_right() -> None:
    def after(move: str) -> tuple[str, float]:
        env = steps_env("1....23....4....")
        observation, reward, *_ = env.step(move)
        return re.sub(r"[.1-4]", "?", observation), reward

    (right, gain), (wrong, loss) = after("row 1 column 2 = 3"), after("row 1 column 2 = 4")
    assert gain == pytest.approx(1 / 12)
    assert loss == pytest.approx(-1 / 12)
    assert right == wrong


def test_running_out_of_turns_is_partial_by_the_last_position() -> None:
    env = steps_env("1....23....4....", max_turns=2)
    env.step("row 1 column 2 = 3")
    _, _, terminated, truncated, info = env.step("row 1 column 3 = 4")
    assert (terminated, truncated) == (False, True)
    assert info["verdict"].status is Status.PARTIAL
    assert info["verdict"].score == pytest.approx(2 / 12)
    env = steps_env("1....23....4....", max_turns=1)
    *_, info = env.step("row 1 column 2 = 4")
    assert info["verdict"].status is Status.WRONG
    assert info["verdict"].parts["progress"] == pytest.approx(-1 / 12)


def test_a_sweep_that_reads_nothing_stays_below_the_floor_at_every_level() -> None:
    sweep = [f"{r} {c} {d}" for r in range(1, 5) for c in range(1, 5) for d in range(1, 5)]
    for level in (0.0, 0.5, 1.0):
        env, earned = Sudoku4Steps(level=level), []
        for index in range(150):
            env.reset(seed=6, options={"index": index})
            total = 0.0
            for move in sweep:
                _, reward, terminated, truncated, _ = env.step(move)
                total += reward
                if terminated or truncated:
                    break
            earned.append(total)
        assert np.mean(earned) <= Sudoku4Steps.floor + 3 * np.std(earned) / np.sqrt(len(earned))
