"""Tables: judged by value, in any order where none is asked for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from proofgym.envs.code.program import Draw, Trusted, block
from proofgym.envs.code.relations import THEMES, draw_work
from proofgym.envs.code.wrangle import DataWrangle

Made = Callable[..., Any]


def test_works_differ_and_their_references_run() -> None:
    specs, themes, ordered = set(), set(), set()
    for seed in range(40):
        work, inputs = draw_work(Draw(np.random.default_rng([seed, 1]), seed / 40))
        reference = Trusted(work.source, "wrangle")
        for _ in range(3):
            rows = reference.run(inputs())
            assert all(list(row) == list(work.columns) for row in rows)
        specs.add(work.spec)
        themes.add(work.theme.events)
        ordered.add(work.ordered)
    assert len(specs) == 40
    assert themes == {theme.events for theme in THEMES}
    assert ordered == {True, False}


def task(env: Any, ordered: bool) -> None:
    for index in range(30):
        env.reset(seed=1, options={"index": index})
        if (env._code_task.compare.unordered == 0) == ordered and any(
            len(c.expected) > 1 for c in env._code_task.hidden
        ):
            return
    raise AssertionError("no such task among thirty")


def test_rows_in_another_order_are_right_only_where_no_order_is_asked(made: Made) -> None:
    env = made(DataWrangle)
    for ordered in (False, True):
        task(env, ordered)
        source = env._reference.replace("def wrangle", "def _wrangle")
        turned = block(f"{source}\n\ndef wrangle(tables):\n    return _wrangle(tables)[::-1]\n")
        _, reward, *_ = env.step(turned)
        assert reward == (0.0 if ordered else 1.0)


def test_values_of_another_kind_are_wrong(made: Made) -> None:
    env = made(DataWrangle)
    task(env, False)
    source = env._reference.replace("def wrangle", "def _wrangle")
    for change in (
        "{name: str(value) for name, value in row.items()}", "{name.upper(): value for name, value in row.items()}",
        "{**row, 'more': 1}", "list(row.values())",
        "{**row, **{k: v + 1 for k, v in row.items() if isinstance(v, (int, float))}}",
    ):  # fmt: skip
        state = env.state()
        wrong = block(f"{source}\n\ndef wrangle(tables):\n    return [{change} for row in _wrangle(tables)]\n")
        _, reward, *_ = env.step(wrong)
        assert reward == 0.0, change
        env.restore(state)


def test_changing_the_given_tables_does_no_harm(made: Made) -> None:
    env = made(DataWrangle)
    task(env, False)
    source = env._reference.replace("def wrangle", "def _wrangle")
    body = "result = _wrangle(tables)\n    for rows in tables.values():\n        rows.clear()\n    return result"
    assert env.step(block(f"{source}\n\ndef wrangle(tables):\n    {body}\n"))[1] == 1.0
