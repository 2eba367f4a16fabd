"""What the generated environments promise beyond the registry's loops."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from fractions import Fraction
from typing import Any

import pytest

from proofgym.envs.math import forms
from proofgym.envs.math.algebra import Algebra, AlgebraKnobs
from proofgym.envs.math.calculus import Calculus, CalculusKnobs
from proofgym.envs.math.combinatorics import Combinatorics
from proofgym.envs.math.generated import GeneratedMath, pose
from proofgym.envs.math.geometry import Geometry
from proofgym.envs.math.linear_algebra import LinearAlgebra
from proofgym.envs.math.number_theory import NumberTheory
from proofgym.envs.math.probability import Probability
from proofgym.envs.math.word_problem import WordProblem
from proofgym.errors import BadInput

FAMILIES = (Algebra, Calculus, Combinatorics, Geometry, LinearAlgebra, NumberTheory, Probability, WordProblem)
KINDS = [(family, kind) for family in FAMILIES for kind in family.table]

each_family = pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.family)
each_kind = pytest.mark.parametrize(("family", "kind"), KINDS, ids=lambda part: getattr(part, "family", part))


def earned(env: GeneratedMath, index: int, answer: str) -> float:
    env.reset(seed=4, options={"index": index})
    return env.step(answer)[1]


@each_kind
def test_the_oracle_earns_one_and_a_changed_answer_nothing(family: type[GeneratedMath], kind: str) -> None:
    for level in (0.0, 1.0):
        env = family(level=level, kinds=[kind])
        for index in range(4):
            env.reset(seed=4, options={"index": index})
            gold, oracle = env.problem.gold, env.oracle()
            assert earned(env, index, oracle) == 1.0, oracle
            assert earned(env, index, f"#### {gold}") == 1.0, gold
            assert earned(env, index, f"So the final answer is ${gold}$.") == 1.0, gold
            for changed in perturbed(gold):
                assert earned(env, index, rf"\boxed{{{changed}}}") == 0.0, (gold, changed)


def perturbed(gold: str) -> list[str]:
    """The answer with each of its numbers, in turn, one larger; and with a sign before it."""
    numbers = re.finditer(r"[0-9]+", gold)
    found = [f"{gold[: at.start()]}{int(at[0]) + 1}{gold[at.end() :]}" for at in numbers]
    if re.fullmatch(r"[0-9/]+", gold):
        found += [f"-{gold}", f"{gold}0", f"{gold} + 1", f"{gold}, {gold[::-1]}1"]
    assert found
    return found


@each_kind
def test_the_working_is_sound_line_by_line(family: type[GeneratedMath], kind: str) -> None:
    for level in (0.0, 1.0):
        env = family(level=level, kinds=[kind], steps=True)
        env.reset(seed=4)
        oracle = env.oracle()
        _, reward, _, _, info = env.step(oracle)
        assert reward == pytest.approx(1.0, abs=1e-12), info["verdict"]
        assert info["verdict"].correct
        assert info["verdict"].parts == {"answer": 1.0, "sound": 1.0, "working": 1.0}


@each_family
def test_a_question_copied_earns_nothing_with_steps_either(family: type[GeneratedMath]) -> None:
    env = family(steps=True)
    for index in range(15):
        env.reset(seed=4, options={"index": index})
        assert earned(env, index, env.problem.question) == 0.0


def test_true_lines_that_lead_nowhere_earn_nothing() -> None:
    env = WordProblem(steps=True)
    for index in range(5):
        lines = "\n".join(f"{n} + 1 = {n + 1}" for n in range(20))
        assert earned(env, index, lines) == 0.0


def test_working_pays_by_the_share_of_its_lines_and_a_broken_chain_pays_less() -> None:
    env = Algebra(steps=True)
    instance = {"kind": "linear", "numbers": [2, 0, 3, 0, 0, 11], "wording": 0}

    def step(answer: str) -> tuple[float, Any]:
        env.reset(options={"instance": instance})
        _, reward, _, _, info = env.step(answer)
        return reward, info["verdict"].parts

    env.reset(options={"instance": instance})
    name = env.problem.unknown
    assert step(r"\boxed{4}")[0] == 1.0
    assert step(f"2{name} = 8\n{name} = 4\n\\boxed{{4}}")[0] == 1.0
    assert step(f"2{name} = 8\n{name} = 4")[0] >= 0.5
    assert step(f"2{name} = 8\n\\boxed{{5}}")[0] == 0.25
    assert step(f"2{name} = 9\n\\boxed{{4}}") == (0.5, {"answer": 1.0, "sound": 0.0, "working": 0.0})
    assert step(f"2{name} = 8\n2{name} = 9\n\\boxed{{4}}")[0] == 0.75
    assert step(f"2{name} = 8\n{name} = 4\n{name} = 5\n\\boxed{{4}}")[0] == 0.75


@each_family
def test_a_copied_formula_is_no_answer(family: type[GeneratedMath]) -> None:
    tried = 0
    for kind in family.table:
        env = family(kinds=[kind])
        for index in range(3):
            env.reset(seed=6, options={"index": index})
            asked = env.problem.asked
            for cheat in (rf"\boxed{{{asked}}}", f"#### {asked}", rf"\boxed{{{asked} = }}") if asked else ():
                env.reset(seed=6, options={"index": index})
                tried += 1
                assert env.step(cheat)[1] == 0.0, cheat
    assert tried or family in (WordProblem, Probability)


@pytest.mark.parametrize(
    ("form", "finished", "undone"),
    [
        (
            forms.INTEGER,
            ["5", "-12", "x = 5", r"5 \text{ euros}", "1,200", "$7$", "5.0"],
            [
                "5!",
                "3 + 4",
                "2 * 3",
                r"2 \cdot 3",
                "2^5",
                "10/2",
                r"\binom{5}{2}",
                r"\frac{10}{2}",
                "17 mod 5",
                "12_3",
                "2(3)",
            ],
        ),
        (
            forms.FRACTION,
            ["-3/4", r"\frac{3}{4}", r"-\frac{3}{4}", "0.75", "x = 3/4", r"\dfrac34"],
            [
                "1 - 1/4",
                r"\frac{1}{2} + \frac{1}{4}",
                r"\int_0^1 x dx",
                r"\lim_{x \to 2} x",
                r"\frac{d}{dx} x",
                "3 * 1/4",
            ],
        ),
        (
            forms.LIST,
            ["-4, 6", "{-4, 6}", "x = -4 or x = 6", "(-4, 6)", "x_1 = -4, x_2 = 6"],
            ["x^2 - 2x - 24 = 0", "1 - 5, 6"],
        ),
        (forms.TUPLE, ["(3, -2)", "(x, y) = (3, -2)", "(1/2, -1)"], [r"(1, 2) \times (3, 4)", "(1 + 2, 3)"]),
        (
            forms.MATRIX,
            [
                r"\begin{pmatrix} 1 & -2 \\ 3 & 4 \end{pmatrix}",
                r"A^{-1} = \frac{1}{2}\begin{bmatrix} 1 & -2 \\ 3 & 4 \end{bmatrix}",
            ],
            [
                r"\begin{pmatrix} 1 & 2 \end{pmatrix}\begin{pmatrix} 1 \\ 2 \end{pmatrix}",
                r"\begin{pmatrix} 1 & 2 \\ 3 & 4 \end{pmatrix}^{-1}",
                r"\begin{pmatrix} 1 + 1 & 2 \end{pmatrix}",
            ],
        ),
        (
            forms.RADICAL,
            [r"3\sqrt{2}", r"\frac{3 + \sqrt{5}}{2}", "5", r"-6 + \sqrt{39}", "√13", r"\sqrt{\frac{7}{2}}"],
            [r"\sqrt{3^2 + 4^2}", r"\sqrt{9 + 16}", r"\sqrt{(1-2)^2}"],
        ),
        (forms.PI, [r"\frac{25\pi}{6}", r"12\pi", "(25/6)π"], [r"\frac{30}{360} * 5^2 * \pi", r"3\pi + 4\pi"]),
        (forms.EXPANDED, ["x^2 - 1", "P(x) = x^2 - 1"], ["(x-1)(x+1)", "x(x + 1)"]),
        (forms.EXPRESSION, ["f'(x) = 2x", r"(2x + 1)e^{3x}"], [r"\frac{d}{dx}(x^2)", r"\int 2 dx", "(x^2)'"]),
        (forms.LINE, ["y = 3x - 2", r"y = \frac{3}{2}x"], ["y = 3(x - 1) + 1"]),
        (forms.INTERVAL, [r"(-\infty, 3]", r"[-7/2, \infty)", "x > 3"], ["2x > 6", "x + 1 > 4"]),
    ],
)
def test_a_form_tells_the_finished_from_the_undone(form: forms.Form, finished: list[str], undone: list[str]) -> None:
    assert [answer for answer in finished if form.refuses(answer)] == []
    assert [answer for answer in undone if not form.refuses(answer)] == []


@each_family
def test_the_same_words_are_the_same_task(family: type[GeneratedMath]) -> None:
    env, marks, questions = family(), defaultdict[str, set[str]](set), defaultdict[str, set[str]](set)
    for index in range(400):
        env.reset(seed=12, options={"index": index})
        instance = {**env.state()["instance"], "wording": 0}
        question, info = env.reset(options={"instance": instance})
        marks[question].add(info["task"]["fingerprint"])
        questions[info["task"]["fingerprint"]].add(instance["kind"])
    assert all(len(found) == 1 for found in marks.values())
    assert all(len(found) == 1 for found in questions.values())


@each_family
def test_another_wording_is_the_same_task_in_other_words(family: type[GeneratedMath]) -> None:
    env = family()
    for index in range(20):
        env.reset(seed=13, options={"index": index})
        instance = env.state()["instance"]
        asked, tasks, golds = set(), set(), set()
        for wording in range(30):
            question, info = env.reset(options={"instance": {**instance, "wording": wording}})
            asked.add(question)
            tasks.add(info["task"]["fingerprint"])
            golds.add(env.problem.gold)
        assert len(asked) >= 4
        assert len(tasks) == 1
        assert len({re.sub(r"[a-z](?=\b|_|\^|[a-z])", "x", gold) for gold in golds}) <= 3


@each_family
def test_few_tasks_come_twice_and_no_answer_is_common(family: type[GeneratedMath]) -> None:
    for level in (0.0, 0.5, 1.0):
        env, seen, golds = family(level=level), set(), Counter[str]()
        for index in range(1000):
            info = env.reset(seed=14, options={"index": index})[1]
            seen.add(info["task"]["fingerprint"])
            golds[env.problem.gold] += 1
        assert len(seen) >= (985 if level == 0.5 else 0)
        (_, most), *_ = golds.most_common(1)
        assert most / 1000 <= family.floor + 3 * (family.floor / 1000) ** 0.5
        assert not set(golds) & {"0", "1", "-1"}


@each_family
def test_a_higher_level_is_harder_on_average(family: type[GeneratedMath]) -> None:
    means = []
    for level in (0.0, 0.5, 1.0):
        env = family(level=level)
        found = [env.reset(seed=15, options={"index": index})[1]["task"]["difficulty"] for index in range(400)]
        assert sum(d == 1.0 for d in found) <= 60
        means.append(sum(found) / len(found))
    assert means[0] < means[1] < means[2]


@each_family
def test_kinds_are_drawn_equally_often_and_only_those_wanted(family: type[GeneratedMath]) -> None:
    env, kinds = family(), Counter[str]()
    for index in range(600):
        env.reset(seed=16, options={"index": index})
        kinds[env.state()["instance"]["kind"]] += 1
    assert set(kinds) == set(family.table)
    assert len(kinds) >= 5
    assert min(kinds.values()) >= 600 / len(kinds) / 2
    only = list(family.table)[:2]
    env = family(kinds=only[::-1])
    drawn = set()
    for index in range(40):
        env.reset(seed=1, options={"index": index})
        drawn.add(env.state()["instance"]["kind"])
    assert drawn == set(only)


def test_knobs_come_from_the_level_and_can_be_set_by_name() -> None:
    assert AlgebraKnobs.at(0.0) == AlgebraKnobs(6, 0.0, 0.0, 2, 3)
    assert AlgebraKnobs.at(0.5) == AlgebraKnobs()
    assert Algebra(level=1.0, knobs={"largest": 9}).knobs == AlgebraKnobs.at(1.0, largest=9)
    assert Algebra(knobs=AlgebraKnobs(largest=7)).knobs == AlgebraKnobs(largest=7)
    env = WordProblem(level=0.0, knobs={"distractors": 4}, kinds=["sharing"])
    plain = WordProblem(level=0.0, kinds=["sharing"])
    assert len(env.reset(seed=1)[0]) > len(plain.reset(seed=1)[0]) + 60
    assert env.reset(seed=1)[1]["task"]["fingerprint"] == plain.reset(seed=1)[1]["task"]["fingerprint"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"kinds": ["quadratc"]}, "did you mean 'quadratic'"),
        ({"kinds": []}, "at least one"),
        ({"kinds": ["zzz"]}, "there are linear"),
        ({"knobs": {"colour": 1}}, "has the knobs largest"),
        ({"knobs": {"largest": 1000}}, "lies in 6 to 20"),
        ({"knobs": {"largest": 7.5}}, "lies in 6 to 20"),
        ({"knobs": {"fractions": True}}, "lies in"),
        ({"knobs": CalculusKnobs()}, "takes AlgebraKnobs"),
    ],
)
def test_arguments_that_cannot_be_used_are_refused_in_words(arguments: dict[str, Any], said: str) -> None:
    with pytest.raises(BadInput, match=said):
        Algebra(**arguments)


@each_kind
def test_numbers_that_make_no_task_are_refused_with_the_reason(family: type[GeneratedMath], kind: str) -> None:
    env = family(kinds=[kind])
    env.reset(seed=1)
    numbers = env.state()["instance"]["numbers"]
    hostile: list[list[int]] = [[], [0] * len(numbers), numbers[:-1], [*numbers, 1, 1, 1, 1, 1], [10**9] * len(numbers)]
    hostile += [[-(10**9)] * len(numbers), [1] * 64]
    refused = 0
    for bad in hostile:
        instance = {"kind": kind, "numbers": bad, "wording": 0}
        try:
            env.reset(options={"instance": instance})
        except BadInput:
            refused += 1
    assert refused >= 3
    with pytest.raises(BadInput, match="at most 64"):
        env.reset(options={"instance": {"kind": kind, "numbers": [1] * 65, "wording": 0}})


def test_distractors_change_neither_task_nor_answer() -> None:
    golds = {pose(WordProblem.table, "harvest", (n, 4, 10, 3, 20, 10), 77).gold for n in range(5)}
    assert golds == {"10"}


def test_equal_tasks_in_another_order_are_one_task() -> None:
    pairs: list[tuple[type[GeneratedMath], str, list[int], list[int]]] = [
        (Algebra, "system", [2, 1, 1, 5, 1, -1, 1], [2, 1, -1, 1, 1, 1, 5]),
        (Algebra, "expand", [1, 2, 3, 2, 1, 1, 1], [2, 1, 1, 1, 1, 2, 3]),
        (NumberTheory, "crt", [2, 5, 3, 7], [3, 7, 2, 5]),
        (NumberTheory, "gcd", [12, 30], [30, 12]),
        (Geometry, "distance", [1, 2, 3, 4], [3, 4, 1, 2]),
        (Geometry, "area", [0, 0, 4, 0, 0, 3], [4, 0, 0, 3, 0, 0]),
        (Geometry, "section", [0, 0, 4, 8, 1, 3], [0, 0, 4, 8, 2, 6]),
        (Probability, "bayes", [1, 2, 1, 3, 1, 4], [2, 4, 2, 6, 2, 8]),
        (Probability, "dice", [5, 0, 4, 6], [5, 0, 6, 4]),
        (Calculus, "derivative", [3, 0, 2, 2, 1, 5], [2, 1, 5, 3, 0, 2]),
        (Combinatorics, "multiples", [100, 0, 2, 3], [100, 0, 3, 2]),
    ]
    for family, kind, one, other in pairs:
        env = family()
        marks = [
            env.reset(options={"instance": {"kind": kind, "numbers": numbers, "wording": 0}})[1]["task"]["fingerprint"]
            for numbers in (one, other)
        ]
        assert marks[0] == marks[1], kind


def test_an_unreduced_fraction_and_a_decimal_are_right() -> None:
    env = Probability(kinds=["conditional"])
    instance = {"kind": "conditional", "numbers": [100, 2, 4, 0], "wording": 0}
    for answer in ("1/2", "2/4", "0.5", r"\frac{1}{2}", "25/50"):
        env.reset(options={"instance": instance})
        assert env.problem.gold == str(Fraction(1, 2))
        assert env.step(rf"\boxed{{{answer}}}")[1] == 1.0, answer


def test_judging_numbers_needs_no_sympy() -> None:
    import subprocess
    import sys

    code = (
        "import sys, proofgym\n"
        "for name in ('Algebra', 'Calculus', 'NumberTheory', 'Combinatorics', 'Probability', 'Geometry', "
        "'LinearAlgebra',"
        " 'WordProblem', 'MathTutor', 'MathCalculator'):\n"
        "    env = proofgym.make(name).unwrapped\n"
        "    for index in range(20):\n"
        "        env.reset(seed=1, options={'index': index}); env.step(env.oracle())\n"
        "print('sympy' in sys.modules)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "False"
