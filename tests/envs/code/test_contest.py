"""Contest problems: checkers accept every right answer and no other."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from proofgym.envs.code.contest import CodeContest, _Judged, _with_checker
from proofgym.envs.code.judged import PROBLEMS
from proofgym.envs.code.printed import as_program, formats, parameters, written, written_result
from proofgym.envs.code.program import Draw, Program, block

Made = Callable[..., Any]

# Other right answers: programs that answer differently from the reference wherever there is a choice.
OTHERWISE = {
    "two_teams": """
import sys
n, m, *rest = map(int, sys.stdin.read().split())
names = NAMES
pairs = [(rest[2 * k] - 1, rest[2 * k + 1] - 1) for k in range(m)]
for mask in range(2 ** n - 1, -1, -1):
    team = [(mask >> i) & 1 for i in range(n)]
    if all(team[a] != team[b] for a, b in pairs):
        print("".join(names[t] for t in team))
        break
else:
    print("NO")
""",
    "even_split": """
import sys
n, *w = map(int, sys.stdin.read().split())
best = min(range(2 ** n - 1, -1, -1), key=lambda m: abs(sum(v if m >> i & 1 else -v for i, v in enumerate(w))))
print(*[1 + (best >> i & 1) for i in range(n)], sep="\\n")
""",
    "some_order": """
import sys
from itertools import permutations
n, m, *rest = map(int, sys.stdin.read().split())
pairs = [(rest[2 * k], rest[2 * k + 1]) for k in range(m)]
left, done = set(range(1, n + 1)), []
while left:
    ready = [b for b in sorted(left, reverse=True) if not any(y == b and x in left for x, y in pairs)]
    if not ready:
        print("IMPOSSIBLE")
        break
    left.remove(ready[0])
    done.append(ready[0])
else:
    print(*done)
""",
}


def problem(name: str, seed: int = 0) -> Any:
    made = PROBLEMS[name](Draw(np.random.default_rng([seed, 1]), 0.5))
    instance = _with_checker(_Judged(made, 0.5))
    assert instance is not None
    return instance


@pytest.mark.parametrize("name", sorted(PROBLEMS))
def test_the_reference_earns_and_a_constant_does_not(made: Made, name: str) -> None:
    env = made(CodeContest)
    env.reset(options={"instance": problem(name)})
    assert env.step(env.oracle())[1] == 1.0
    first = env._code_task.cases[0].expected.strip()
    env.reset(options={"instance": problem(name)})
    assert env.step(block(f"print({first!r})"))[1] == 0.0


@pytest.mark.parametrize("name", sorted(OTHERWISE))
def test_another_right_answer_is_accepted(made: Made, name: str) -> None:
    env = made(CodeContest)
    instance = problem(name, 2)
    env.reset(options={"instance": instance})
    names = next((pair for pair in ("AB", "XY", "LR") if f"{pair[0]} or {pair[1]}" in instance["spec"]), "AB")
    source = OTHERWISE[name].replace("NAMES", repr(names))
    assert env.step(block(source))[1] == 1.0


@pytest.mark.parametrize(
    "printed", ["nan", "inf", "9" * 5000, "1 " * 5000, "", "IMPOSSIBLE", "-1", "1 1", "x", "0x1 2"]
)
def test_no_print_satisfies_a_checker(made: Made, printed: str) -> None:
    env = made(CodeContest)
    for name in ("measurements", "as_squares", "shortest_route"):
        env.reset(options={"instance": problem(name)})
        _, reward, _, _, info = env.step(block(f"print({printed!r})"))
        assert reward == 0.0
        assert not info["verdict"].correct


def test_arguments_and_results_have_one_text_form() -> None:
    signature = "def f(n: int, words: list[str], rows: list[list[int]], text: str) -> list[int]"
    assert parameters(signature)[1] == "list[int]"
    assert written(signature, [3, ["a", ""], [[1, 2], []], " x "]) == "3\n2\na\n\n2\n1 2\n\n x \n"
    assert written_result(signature, [1, 2]) == "1 2\n"
    assert formats(signature).count("\n") == 5
    source = "def f(n, words, rows, text):\n    return [n, len(words), len(rows[1]), len(text)]\n"
    program = Program("p", "function", "f", signature, "", source, (), 0, 0.5)
    text = as_program(program)
    import subprocess
    import sys

    out = subprocess.run(
        [sys.executable, "-c", text], input="3\n2\na\n\n2\n1 2\n\n x \n", capture_output=True, text=True, check=True
    )
    assert out.stdout == "3 2 0 3\n"


def test_the_share_of_problems_with_a_checker_is_chosen(made: Made) -> None:
    for share, kinds in ((0.0, {"lines"}), (1.0, {"checker"})):
        env = made(CodeContest, judged=share)
        found = set()
        for index in range(4):
            env.reset(seed=1, options={"index": index})
            found.add(env._code_task.compare.kind)
        assert found == kinds
