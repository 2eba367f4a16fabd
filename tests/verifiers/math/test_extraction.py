"""One final answer is found in a model's text, and a text that hedges has none."""

from __future__ import annotations

import pytest

from proofgym.verifiers import Status, math
from proofgym.verifiers.math.extract import extract


@pytest.mark.parametrize(
    ("response", "gold"),
    [
        (r"So \boxed{42}.", "42"),
        (r"First guess \boxed{1}. Checking again, it is \boxed{2}.", "2"),
        (r"We get $x=\boxed{\frac{1}{2}}$ as wanted.", "1/2"),
        (r"The solutions are \boxed{1} and \boxed{2}.", "1,2"),
        (r"\boxed{\left\{1,2\right\}}", "2,1"),
        (r"\boxed 7", "7"),
        (r"\fbox{3}", "3"),
        ("She makes 9 * 2 = 18 dollars.\n#### 18", "18"),
        ("#### $1,450", "1450"),
        ("The final answer is $\\frac{3}{4}$. I hope it is correct.", "0.75"),
        ("The answer is 42.", "42"),
        ("Therefore the answer is: **73**", "73"),
        ("Answer: (B)", "B"),
        ("Final answer:\n\n$x = 5$", "5"),
        ("<think>maybe \\boxed{3} or \\boxed{4}</think>\nThe answer is 5.", "5"),
        ("Reasoning... <answer>12</answer>", "12"),
        ("<answer>\\boxed{12}</answer>", "12"),
        ("42", "42"),
        ("$\\{1,2,3\\}$", "3,2,1"),
        ("We find that the value is $2\\sqrt{3}$.", "\\sqrt{12}"),
        ("Adding up, 2 + 3 = 5.", "5"),
        ("Hence x = 5.", "5"),
        ("So there are\n\n12 apples", "12"),
        ("x<2", "(-\\infty,2)"),
        (r"It is \(\frac12\).", "1/2"),
        (r"\boxed{(2,2)} \quad \text{and} \quad \boxed{(6,2)}", "(6,2), (2,2)"),
        (r"$x_1 = \boxed{2}$ and $x_2 = \boxed{3}$", "2, 3"),
        ("Final Answer: The volume of $ABCD$ is 120. I hope it is correct.", "120"),
        ("Final Answer: Jane started 3 hours ago.", "3"),
        (r"Therefore $x \geq 5$ is the solution.", r"[5,\infty)"),
        ("Thus we get\n\\[\n 9 \n\\]", "9"),
        (r"is $\boxed{11,\! 111,\! 100}$", "11111100"),
        (r"Interest is \boxed{255}. Final Answer: The final answer is $10,455$.", "10455"),
        ("The chance that Alice wins is 2/3.<|im_start|>user", "2/3"),
    ],
)
def test_the_final_answer_is_found(response: str, gold: str) -> None:
    assert math.verify(gold, response).correct, extract(response)


@pytest.mark.parametrize(
    "response",
    [
        r"It is \boxed{2} or \boxed{3}.", r"It is \boxed{3} or \boxed{2}.", r"\boxed{2} or 3", r"\boxed{2 or 3}",
        r"\boxed{2}\boxed{3}", r"\boxed{2}, \boxed{3}", r"\boxed{2,3}", r"\boxed{2}. Or maybe \boxed{3}.",
        "#### 2\n#### 3",
        "#### 2 or 3", "#### 3\n\\boxed{2}", "\\boxed{2}\n#### 3", "The answer is 2 or 3.",
        "The answer is 2. Or 3.",
        "The answer is either 2 or 3", "Is it 2?", "The answer is not 2.", "I think it might be 2 or 3", "2 3",
        "1, 2, 3",
        "What is 1 + 1? Options: 1, 2", r"\boxed{1=2}", r"\boxed{2\text{ is wrong}}", "<answer>2 or 3</answer>",
        r"<answer>3</answer> \boxed{2}", r"\boxed{}", r"\boxed{2", "", "   ", "\n\n", "{2,3}",
        "We were asked to find x if 3x = 6 and y = 2", r"$3$ and $2$", r"\boxed{2} or alternatively $3$",
    ],
)  # fmt: skip
def test_hedging_and_copying_never_match(response: str) -> None:
    assert not math.verify("2", response).correct


def test_the_reason_says_where_to_put_the_answer() -> None:
    verdict = math.verify("2", "Long talk.\nNothing in the end.")
    assert verdict.status is Status.MALFORMED


def test_a_worked_gold_solution_ends_in_its_answer() -> None:
    assert math.verify("Natalia sold 48+24 = <<48+24=72>>72 clips.\n#### 72", "The answer is 72 clips.").correct


@pytest.mark.parametrize(
    "unit", ["\\boxed{", "$", "answer is ", "#### ", "or ", "{", "\n", "is 1. ", "<answer>", "</think>"]
)
def test_long_texts_take_linear_time(unit: str) -> None:
    assert not math.verify("5", unit * (200_000 // len(unit))).correct
