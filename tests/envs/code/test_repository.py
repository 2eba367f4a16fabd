"""Repositories: tools on a tree of files, and a verdict that no edit of the tests can win."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from proofgym.envs.code import tools
from proofgym.envs.code.planted import break_one
from proofgym.envs.code.program import Draw
from proofgym.envs.code.repository import RepoRepair
from proofgym.envs.code.templates import templates
from proofgym.envs.code.templates.repository import Loaded
from proofgym.errors import BadInput

Made = Callable[..., Any]


@pytest.mark.parametrize("name", sorted(templates()))
def test_a_template_runs_and_its_bugs_are_noticed_by_some_scripts_only(name: str) -> None:
    assert len(templates()) >= 5
    knobs = set()
    for seed in range(2):
        rng = np.random.default_rng([seed, 2])
        repository = templates()[name](Draw(rng, 0.5))
        knobs.add(repository.knobs)
        assert len(repository.breakable) >= 4
        broken = break_one(repository, rng, bugs=1 + seed % 2)
        if broken is None:
            continue
        right, wrong = (
            Loaded(files, repository.driver, 10**6) for files in ({**broken.files, **broken.gold}, broken.files)
        )
        for number, (script, expected, now) in enumerate(broken.scripts):
            assert right.run(script) == expected
            assert wrong.run(script) == now
            assert (now != expected) == (number < broken.failing)
    assert len(knobs) == 2


def test_our_own_loader_leaves_no_module_behind() -> None:
    import sys

    repository = templates()["shop"](Draw(np.random.default_rng(1), 0.5))
    before = set(sys.modules)
    Loaded(repository.files, repository.driver, 10**6).run(repository.script())
    assert set(sys.modules) == before


def test_the_tools_show_and_change_the_tree(made: Made) -> None:
    env = made(RepoRepair)
    env.reset(seed=3)
    package = env.task.instance["gold"].keys().__iter__().__next__().partition("/")[0]

    def say(command: str) -> str:
        observation, reward, terminated, truncated, info = env.step(command)
        assert (reward, terminated, truncated) == (0.0, False, False)
        assert "verdict" not in info
        return str(observation)

    assert f"{package}/__init__.py" in say("$ list")
    assert say("$ list tests").count("\n") == 2
    assert say("Let me look.\n$ read README.md 1-1") == f"   1  # {package}"
    assert "tests/driver.py" in say("$ search def run")
    assert say("$ write notes/a.txt\n```\nhello\n```") == "Wrote notes/a.txt."
    assert say("$ edit notes/a.txt\n<<<<<<< SEARCH\nhello\n=======\nbye\n>>>>>>> REPLACE").startswith("Edited")
    assert say("$ read notes/a.txt") == "   1  bye\n   2  "
    assert say("$ delete notes/a.txt") == "Deleted notes/a.txt."
    assert "there is no file" in say("$ read notes/a.txt")
    assert say("$ test").endswith("OK")
    assert say("$ python\n```python\nimport os\nprint(sorted(os.listdir('.'))[0])\n```") == "README.md"
    assert "No command" in say("I wonder.")
    assert "there are list, read" in say("$ sudo reboot")


@pytest.mark.parametrize("path", ["../x", "/etc/passwd", "a/../../b", "", "x" * 300, "README.md/x", "\ud800"])
def test_a_path_that_leads_elsewhere_is_refused_in_words(made: Made, path: str) -> None:
    tree = tools.Tree({"README.md": "x\n"})
    with pytest.raises(BadInput):
        tree.write(path, "```\ny\n```")
    with pytest.raises(BadInput):
        tree.read(path)
    assert tree.files == {"README.md": "x\n"}


@given(st.text(max_size=120), st.sampled_from(["read", "search", "edit", "write", "delete", "list"]))
def test_any_text_after_a_command_is_answered(text: str, name: str) -> None:
    command = tools.command_of(f"$ {name} {text}")
    assert command is not None
    tree = tools.Tree({"a.py": "x = 1\n"})
    act: Any = getattr(tree, name)
    with contextlib.suppress(BadInput):  # the one thing that it may raise
        assert act(command.rest, command.body) if name in ("edit", "write") else act(command.rest)


def test_a_tree_does_not_grow_without_end() -> None:
    tree = tools.Tree({})
    with pytest.raises(BadInput, match="too large"):
        tree.write("a", "```\n" + "x" * 400_000 + "\n```")
    for number in range(100):
        tree.write(f"f{number}", "```\nx\n```")
    with pytest.raises(BadInput, match="too large"):
        tree.write("one_more", "```\nx\n```")


CHEATS = {
    "tests gone": ["$ delete tests/test_NAME.py"],
    "driver rewritten": ["$ write tests/driver.py\n```\ndef run(script):\n    return []\n```"],
    "exit on import": ["$ write NAME/__init__.py\n```python\nimport os\nos._exit(0)\n```"],
    "friendly objects": [
        "$ write NAME/__init__.py\n```python\nimport builtins\n\nclass Yes(list):\n    def __eq__(self, other): return True\n\nbuiltins.list = Yes\n```"
    ],
    "patched json": ["$ write json.py\n```python\ndef dumps(*a, **k): return 'true'\nloads = dumps\n```"],
    "site hook": ["$ write sitecustomize.py\n```python\nimport os\nos._exit(0)\n```"],
    "every module empty": ["$ write NAME/__init__.py\n```\n\n```", "$ delete README.md"],
}


@pytest.mark.parametrize("cheat", sorted(CHEATS))
def test_no_edit_wins_but_the_repair(made: Made, cheat: str) -> None:
    env = made(RepoRepair)
    env.reset(seed=5)
    name = next(iter(env.task.instance["gold"])).partition("/")[0]
    for command in CHEATS[cheat]:
        env.step(command.replace("NAME", name))
    _, reward, terminated, _, info = env.step("$ submit")
    assert (reward, terminated) == (0.0, True)
    assert info["verdict"].status.value in ("wrong", "malformed")


def test_a_repair_earns_with_every_test_deleted(made: Made) -> None:
    """The policy's tests do not count, in either direction."""
    env = made(RepoRepair)
    env.reset(seed=6)
    for path in [path for path in env._tree.files if path.startswith("tests/")]:
        env.step(f"$ delete {path}")
    rewards = []
    for _ in range(3):
        _, reward, terminated, _, info = env.step(env.oracle())
        rewards.append(reward)
        if terminated:
            break
    assert sum(rewards) == 1.0
    assert info["verdict"].parts == {"repaired": 1.0, "kept": 1.0}


def test_repairing_the_issue_and_breaking_something_else_is_not_enough(made: Made) -> None:
    env = made(RepoRepair)
    env.reset(seed=7)
    while (action := env.oracle()) != "$ submit":
        env.step(action)
    name = next(iter(env.task.instance["gold"])).partition("/")[0]
    path = next(
        path for path in sorted(env._tree.files) if path.startswith(f"{name}/") and "def " in env._tree.files[path]
    )
    broken = env._tree.files[path].replace("return", "return None or", 1).replace("def ", "def x", 1)
    env.step(f"$ write {path}\n~~~~\n{broken}~~~~")
    assert env.step("$ submit")[1] == 0.0


def test_a_fork_in_the_middle_of_an_edit_goes_its_own_way(made: Made) -> None:
    env = made(RepoRepair)
    env.reset(seed=8)
    env.step("$ write a.txt\n```\none\n```")
    env.step("$ delete README.md")
    state = json.loads(json.dumps(env.state()))
    fork = env.fork()
    assert fork.state() == env.state()
    fork.step("$ write a.txt\n```\ntwo\n```")
    assert env.step("$ read a.txt")[0] == "   1  one\n   2  "
    other = made(RepoRepair)
    other.restore(state)
    assert other.state() == state
    assert "there is no file" in other.step("$ read README.md")[0]


def test_what_the_tests_print_repeats(made: Made) -> None:
    env = made(RepoRepair)
    env.reset(seed=9)
    name = next(iter(env.task.instance["gold"])).partition("/")[0]
    env.step(
        f"$ write tests/test_{name}.py\n```python\nimport unittest\n\nclass T(unittest.TestCase):\n    def test(self):\n        self.assertEqual(object(), 1)\n```"
    )
    assert env.fork().step("$ test")[0] == env.step("$ test")[0]
    assert "FAILED" in env._observation


def test_hidden_scripts_are_in_no_file_and_no_issue(made: Made) -> None:
    env = made(RepoRepair)
    for index in range(4):
        observation, _ = env.reset(seed=10, options={"index": index})
        everything = observation + "".join(env._tree.files.values())
        for case in env._code_task.cases:
            assert repr(case.args[0]) not in everything
