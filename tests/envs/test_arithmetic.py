"""Arithmetic: generated expressions are what they claim, and given ones are checked."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from proofgym.envs.math.arithmetic import Arithmetic
from proofgym.errors import BadInput
from proofgym.verifiers.math.expression import Expression, parse


def even(expression: Expression) -> bool:
    return isinstance(expression.value, int) and all(even(part) for part in expression.parts)


@pytest.mark.parametrize(("level", "operations"), [(0.0, 2), (0.25, 4), (0.5, 6), (1.0, 10)])
def test_the_level_sets_the_size_and_divisions_come_out_even(level: float, operations: int) -> None:
    env, signs = Arithmetic(level=level), set()
    for index in range(150):
        env.reset(seed=1, options={"index": index})
        text = env.state()["instance"]["expression"]
        expression = parse(text)
        assert expression.operations == operations
        assert even(expression)
        assert str(expression) == text, "as few brackets as can be"
        signs |= set(text) & set("+-*/")
    assert signs == set("+-*/")


def test_no_answer_is_common_enough_to_beat_the_floor() -> None:
    for level in (0.0, 0.5, 1.0):
        env, answers = Arithmetic(level=level), Counter[str]()
        for index in range(1200):
            env.reset(seed=2, options={"index": index})
            answers[env.oracle().splitlines()[-1]] += 1
        share = answers.most_common(1)[0][1] / 1200
        assert share <= Arithmetic.floor + 3 * np.sqrt(share / 1200)


def test_the_oracle_writes_one_line_for_each_operation() -> None:
    env = Arithmetic()
    env.reset(options={"instance": {"expression": "(3 + 4) * 2 - 12 / (5 - 1)"}})
    assert env.oracle() == "7 * 2 - 12 / (5 - 1)\n14 - 12 / (5 - 1)\n14 - 12 / 4\n14 - 3\n11\n#### 11"


def test_blanks_and_needless_brackets_make_no_new_task() -> None:
    env = Arithmetic()
    one = env.reset(options={"instance": {"expression": "(2*3)+4"}})[1]["task"]["fingerprint"]
    other = env.reset(options={"instance": {"expression": "2 * 3 + 4"}})[1]["task"]["fingerprint"]
    different = env.reset(options={"instance": {"expression": "2 * (3 + 4)"}})[1]["task"]["fingerprint"]
    assert one == other != different


@pytest.mark.parametrize(
    ("expression", "said"),
    [
        ("7", "1 to 40 operations"),
        ("1" + "+1" * 41, "1 to 40 operations"),
        ("7 / 2", "come out even"),
        ("7 / 2 * 4", "come out even"),
        ("2 ** 3", "cannot be read"),
        ("1 / 0", "divides by zero"),
        ("__import__('os')", "cannot be read"),
        (12, "an instance is"),
    ],
)
def test_given_expressions_are_checked(expression: object, said: str) -> None:
    with pytest.raises(BadInput, match=said):
        Arithmetic().reset(options={"instance": {"expression": expression}})
