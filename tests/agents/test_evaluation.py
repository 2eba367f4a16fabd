"""What an evaluation says of episodes, with attempts at one task counted together."""

from __future__ import annotations

import math
from collections.abc import Callable

from proofgym.agents.evaluation import score
from proofgym.envs.trajectory import Trajectory
from proofgym.verifiers import Verdict

RIGHT, WRONG = Verdict.right(), Verdict.wrong("no")


def played(turn: Callable[..., object], index: int, sample: int, right: bool) -> Trajectory:
    done = turn("a", [(0, 1, float(right))])
    done.verdict = RIGHT if right else WRONG  # type: ignore[attr-defined]
    return Trajectory("e", {}, 0, index, sample, [done], "terminated")  # type: ignore[list-item]


def test_attempts_at_one_task_are_no_new_tasks(turn: Callable[..., object]) -> None:
    apart = score([played(turn, index, 0, index % 2 == 0) for index in range(8)])
    together = score([played(turn, index, sample, index % 2 == 0) for index in range(8) for sample in range(50)])
    assert apart.solved == together.solved == apart.mean == together.mean == 0.5
    assert math.isclose(apart.solved_low, together.solved_low, abs_tol=1e-9)
    assert math.isclose(apart.solved_high, together.solved_high, abs_tol=1e-9)
    assert (apart.n, together.n) == (8, 400)


def test_unjudged_episodes_are_in_no_other_number(turn: Callable[..., object]) -> None:
    lost = Trajectory("e", {}, 0, 9, 0, [], "unjudged", "no prover")
    found = score([played(turn, 0, 0, True), played(turn, 1, 0, False), lost])
    assert (found.mean, found.solved, found.n, found.unjudged) == (0.5, 0.5, 2, 1)
    nobody = score([lost]).to_json()
    assert nobody["mean"] is None
    assert nobody["n"] == 0
