"""Repair over several turns: paid by a potential that telescopes, never for going round."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proofgym.envs.code import patches
from proofgym.envs.code.program import block
from proofgym.envs.code.repair import CodeRepair

Made = Callable[..., Any]


def test_edits_are_read_whole_or_not_at_all() -> None:
    text = "first\n<<<<<<< SEARCH\na\nb\n=======\nc\n>>>>>>> REPLACE\nthen\n<<<<<<< SEARCH\nbroken off\n=======\n"
    (edit,) = patches.edits(text)
    assert (edit.old, edit.new) == ("a\nb\n", "c\n")
    assert text[edit.start : edit.end].startswith("<<<<<<<")
    assert text[edit.start : edit.end].endswith("REPLACE\n")
    assert patches.apply("x\na\nb\ny\n", [edit]) == "x\nc\ny\n"
    assert patches.apply("x\na\nb", [edit]) == "x\nc\n", "a last line without its end"


@pytest.mark.parametrize(("text", "said"), [("a\nb\na\nb\n", "2 times"), ("z\n", "nowhere")])
def test_an_edit_fits_exactly_once(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        patches.replace_once(text, "a\nb\n", "")


@given(st.text(st.sampled_from("<>=SEARCHREPLACE \n ab"), max_size=200))
def test_any_text_is_read_for_edits_without_a_fault(text: str) -> None:
    for edit in patches.edits(text):
        assert 0 <= edit.start < edit.end <= len(text)


def test_going_back_and_forth_earns_nothing(made: Made) -> None:
    env = made(CodeRepair, max_turns=6)
    for index in range(4):
        env.reset(seed=8, options={"index": index})
        broken, rewards = block(env._broken), []
        entry = env._code_task.entry
        kind = "class" if env._code_task.kind == "class" else "def"
        useless = block(f"class {entry}:\n    pass" if kind == "class" else f"def {entry}(*args):\n    return None")
        for action in (broken, useless, broken, useless, broken):
            _, reward, terminated, _, info = env.step(action)
            rewards.append(reward)
            assert info["potential"] == pytest.approx(sum(rewards))
            assert not terminated
        assert sum(rewards) == 0.0
        _, reward, terminated, _, info = env.step(env.oracle())
        assert (reward, terminated, info["verdict"].correct) == (1.0, True, True)


def test_answering_the_failing_cases_alone_is_worth_nothing(made: Made) -> None:
    """A program that knows the failing cases by heart and loses the others: the potential stays 0."""
    env = made(CodeRepair)
    tried = 0
    for index in range(8):
        env.reset(seed=9, options={"index": index})
        task = env._code_task
        if task.kind == "class":
            continue
        tried += 1
        table = {repr(list(case.args)): case.expected for case in task.cases if case.name in env._failing}
        cheat = block(f"TABLE = {table!r}\ndef {task.entry}(*args):\n    return TABLE.get(repr(list(args)))")
        _, reward, *_ = env.step(cheat)
        assert reward == 0.0
    assert tried


def test_a_partial_repair_is_paid_in_part_and_a_regression_takes_it_back(made: Made) -> None:
    env = made(CodeRepair)
    for index in range(12):
        env.reset(seed=10, options={"index": index})
        task, hidden = env._code_task, [c for c in env._code_task.hidden if c.name in env._failing]
        if task.kind == "class" or len(hidden) < 2:
            continue
        known = hidden[0]
        half = (
            f"{env._broken}\n_broken = {task.entry}\n\n\ndef {task.entry}(*args):\n"
            f"    if repr(list(args)) == {repr(list(known.args))!r}:\n"
            f"        return {known.expected!r}\n    return _broken(*args)\n"
        )
        _, reward, *_ = env.step(block(half))
        assert reward == pytest.approx(1 / len(hidden))
        _, back, _, _, info = env.step(block(env._broken))
        assert back == pytest.approx(-reward)
        assert info["verdict"].score == 0.0
        return
    pytest.fail("no task with two failing hidden cases among twelve")


def test_a_patch_is_applied_to_the_program_as_it_stands(made: Made) -> None:
    env = made(CodeRepair, max_turns=9)
    env.reset(seed=11)
    line = env._broken.split("\n")[0] + "\n"
    patch = f"<<<<<<< SEARCH\n{line}=======\n# one\n{line}>>>>>>> REPLACE"
    env.step(patch)
    assert env._program.startswith("# one\n")
    env.step(patch)
    assert env._program.startswith("# one\n# one\n")
    observation, reward, _, _, info = env.step("<<<<<<< SEARCH\nnot there\n=======\n\n>>>>>>> REPLACE")
    assert "nowhere" in observation
    assert reward == 0.0
    assert info["verdict"].status.value == "malformed"
    first = env._program.split("\n")[0]
    env.step(f"```diff\n--- a/p.py\n+++ b/p.py\n@@ -1 +1,2 @@\n-{first}\n+# two\n+# three\n```")
    assert env._program.startswith("# two\n# three\n# one\n")
    assert "does not have this line" in env.step("@@ -1 +1 @@\n-not there\n+x\n")[0]
    fork = env.fork()
    assert fork.state() == env.state()
    assert fork.step(env.oracle()) == env.step(env.oracle())


def test_running_out_of_turns_is_scored_by_where_it_stands(made: Made) -> None:
    env = made(CodeRepair, max_turns=1)
    env.reset(seed=8)
    *_, truncated, info = env.step(block(env._broken))
    assert truncated
    assert info["verdict"].score == 0.0
    assert not info["verdict"].correct
