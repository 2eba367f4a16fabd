"""Programs and formal languages: hand-worked instances, other valid answers, and independent checks."""

from __future__ import annotations

import itertools
import re
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proofgym.envs.puzzles import family
from proofgym.envs.puzzles.answers import Unreadable
from proofgym.envs.puzzles.lambda_reduction import normal_form, parse_term, written
from proofgym.envs.puzzles.regular import difference, minimal, parse_regex
from proofgym.errors import BadInput


def drawn(name: str, count: int, level: float = 0.5, seed: int = 9) -> list[Any]:
    kind = family(name)
    return [kind.generate(np.random.default_rng([seed, i]), kind.settings(level)) for i in range(count)]


def judged(name: str, data: dict[str, object], answer: str) -> bool:
    return family(name).from_instance(data).verify(f"Answer: {answer}").correct


PROGRAM: dict[str, object] = {"program": ["a = a + b", "b = b * 2", "if b < 9 goto 1"], "start": [1, 3]}


def test_a_program_is_traced_line_by_line() -> None:
    puzzle: Any = family("ProgramTrace").from_instance(PROGRAM)
    assert puzzle.solution() == "1: 4 3\n2: 4 6\n1: 10 6\n2: 10 12"
    assert judged("ProgramTrace", PROGRAM, "\n1: 4, 3\n2: 4, 6\n\n1: 10 6\n2 10 12")


def test_every_right_step_is_paid_up_to_the_first_error() -> None:
    puzzle: Any = family("ProgramTrace").from_instance(PROGRAM)
    for answer, score in (
        ("1: 4 3\n2: 4 6\n1: 10 6\n2: 10 13", 0.75), ("1: 4 3\n2: 5 6\n1: 10 6\n2: 10 12", 0.25), ("1: 4 4", 0.0),
        ("1: 4 3\n2: 4 6", 0.5), ("1: 4 3\n2: 4 6\n1: 10 6\n2: 10 12\n1: 22 12", 0.75), ("2: 10 12", 0.0),
    ):  # fmt: skip
        verdict, credits_ = puzzle.grade(f"Answer:\n{answer}")
        assert verdict.score == pytest.approx(score), answer
        assert sum(c.value for c in credits_) == pytest.approx(score)
        assert not verdict.correct
        text = f"Answer:\n{answer}"
        assert [text[c.start : c.end] for c in credits_] == answer.split("\n")[: len(credits_)]


def test_programs_that_do_not_halt_are_refused() -> None:
    for program, said in (
        (["a = a + 1", "if a > 0 goto 1"], "halt"), (["a = b % a"], "zero"), (["a = c + 1"], "line"),
        (["a = 7 ** 9"], "line"), (["if a = 1 goto 0", "a = 2"], "counted"), (["if a > 99 goto 1"], "no assignment"),
    ):  # fmt: skip
        with pytest.raises(BadInput, match=said):
            family("ProgramTrace").from_instance({"program": program, "start": [0 if said == "zero" else 1, 1]})


words = st.text(alphabet="ab", max_size=7)
expressions = st.recursive(
    st.sampled_from("ab"),
    lambda inner: st.one_of(
        st.tuples(inner, inner).map("".join), st.tuples(inner, inner).map("|".join).map("({})".format),
        inner.map("({})*".format), inner.map("({})+".format), inner.map("({})?".format),
    ),
    max_leaves=8,
)  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(expressions, st.lists(words, min_size=5, max_size=5))
def test_automata_accept_what_python_matches(text: str, some: list[str]) -> None:
    """Only here is an expression given to `re`, and only ones that this test made."""
    automaton, smallest = parse_regex(text, "ab"), minimal(parse_regex(text, "ab"), "ab", 400)
    for word in [*some, *map("".join, itertools.product("ab", repeat=3))]:
        expected = re.fullmatch(text, word) is not None
        assert automaton.accepts(word) == expected
        assert smallest is None or smallest.accepts(word) == expected


@settings(max_examples=40, deadline=None)
@given(expressions, expressions)
def test_differences_are_shortest(one: str, two: str) -> None:
    first, second = parse_regex(one, "ab"), parse_regex(two, "ab")
    brute = next(
        (
            w
            for n in range(6)
            for w in map("".join, itertools.product("ab", repeat=n))
            if first.accepts(w) != second.accepts(w)
        ),
        None,
    )
    found = difference(first, second, "ab")
    if brute is not None:
        assert found is not None
        assert len(found) == len(brute)
    else:
        assert found is None or len(found) > 5


def test_smallest_automata_by_hand() -> None:
    for text, states in (("(a|b)*ab", 3), ("a", 3), ("(a|b)*", 1), ("(aa)*", 3), ("(b*ab*a)*b*", 2), ("a*|b*", 4)):
        found = minimal(parse_regex(text, "ab"), "ab")
        assert found is not None
        assert len(found.table) == states, text


@pytest.mark.parametrize(
    "text", ["", "a||b", "(a", "a)", "*a", "c", "a{3}", "[ab]", "(" * 40 + "a" + ")" * 40, "a" * 121, "٤"]
)
def test_expressions_outside_the_grammar_are_unreadable(text: str) -> None:
    with pytest.raises(Unreadable):
        parse_regex(text, "ab")


def test_any_equivalent_expression_is_right() -> None:
    asked: dict[str, object] = {"table": [[1, 0], [1, 2], [1, 0]], "final": [2], "solution": "(a|b)*ab"}
    for right in ("(a|b)*ab", "(b|a)* a b", "b*a(a|bb*a)*b", "((a*b*)*)ab", "/(a|b)*ab/".strip("/")):
        assert judged("RegexSynthesis", asked, right), right
    for wrong in ("(a|b)*", "ab", "(a|b)+ab", "(a|b)*a", ".*ab", ""):
        assert not judged("RegexSynthesis", asked, wrong), wrong
    star: dict[str, object] = {"table": [[0, 0]], "final": [0], "solution": "(a|b)*"}
    for text in ("Answer: (a|b)*", "**Answer:** (a|b)*", "**Answer: (a|b)***", "so\n(a|b)*", "`(a|b)*`"):
        assert family("RegexSynthesis").from_instance(star).verify(text).correct, text
    with pytest.raises(BadInput, match="wrong"):
        family("RegexSynthesis").from_instance({**asked, "solution": "(a|b)*a"})


def test_any_shortest_word_that_tells_two_expressions_apart() -> None:
    asked: dict[str, object] = {"first": "(a|b)c", "second": "cc|c*"}
    assert judged("RegexDifference", asked, "empty")
    assert not judged("RegexDifference", asked, "ac"), "longer than needed"
    asked = {"first": "(a|b)c", "second": "ccc"}
    assert judged("RegexDifference", asked, "ac")
    assert judged("RegexDifference", asked, "'BC'.")
    for wrong in ("ccc", "cc", "a b", "empty", "abcd"):
        assert not judged("RegexDifference", asked, wrong), wrong
    with pytest.raises(BadInput, match="same words"):
        family("RegexDifference").from_instance({"first": "a*", "second": "(a*)*"})


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        (["count", "a", 3, 1], lambda w: w.count("a") % 3 == 1), (["contains", "aba"], lambda w: "aba" in w),
        (["avoids", "bb"], lambda w: "bb" not in w), (["begins", "ab"], lambda w: w.startswith("ab")),
        (["ends", "aab"], lambda w: w.endswith("aab")),
    ],
)  # fmt: skip
def test_automata_for_conditions_agree_with_the_words(condition: list[Any], holds: Any) -> None:
    puzzle: Any = family("DfaConstruction").from_instance({"conditions": [condition, ["count", "b", 2, 0]]})
    for n in range(7):
        for word in map("".join, itertools.product("ab", repeat=n)):
            assert puzzle.smallest.accepts(word) == (holds(word) and word.count("b") % 2 == 0)


def test_an_automaton_may_number_its_states_differently_but_not_have_more() -> None:
    asked: dict[str, object] = {"conditions": [["ends", "ab"]]}
    assert judged("DfaConstruction", asked, "\n1 0 0\n1 2 0\n1 0 1")
    assert judged("DfaConstruction", asked, "\n2 0 0\n2 0 1\n2 1 0")
    for wrong in (
        "\n1 0 0\n1 2 0\n1 0 0",
        "\n1 0 0\n1 2 0\n1 3 1\n1 0 0",
        "\n1 0 0",
        "\n1 0 0\n1 9 0\n1 0 1",
        "\n1 0\n1 2\n1 0",
    ):
        assert not judged("DfaConstruction", asked, wrong), wrong


GRAMMAR: dict[str, object] = {"rules": ["SAB", "SBA", "Aa", "Bb", "Ab", "Ba"], "word": "ab"}


def test_every_parse_tree_is_right() -> None:
    for right in ("(S (A a) (B b))", "(S(B a)(A b))", "( S ( A a ) ( B b ) )"):
        assert judged("ParseTree", GRAMMAR, right)
    for wrong in (
        "(S (A b) (B a))", "(S (A a) (A b))", "(S a b)", "(A a)", "(S (A a) (B b)", "(S (A a) (B b)))",
        "((S (A a) (B b)))", "(S (A a) (B b)) (S (A a) (B b))", "(S (A a) (B b)) b", "S (A a) (B b)", "()",
        "(S (A a) (B))",
    ):  # fmt: skip
        assert not judged("ParseTree", GRAMMAR, wrong), wrong
    with pytest.raises(BadInput, match="does not derive"):
        family("ParseTree").from_instance({**GRAMMAR, "word": "aba"})


def test_words_of_a_grammar_are_found_by_brute_force_too() -> None:
    for puzzle in drawn("ParseTree", 10, level=0.0):
        words, seen = {"S"}, {"S"}
        while words:
            longer = set()
            for word in words:
                at = next((i for i, c in enumerate(word) if c.isupper()), None)
                if at is not None:
                    for rule in puzzle.rules:
                        if rule[0] == word[at] and len(word) + len(rule) - 2 <= len(puzzle.word):
                            longer.add(word[:at] + rule[1:] + word[at + 1 :])
            words = {w for w in longer - seen if puzzle.word.startswith(re.split("[A-Z]", w)[0])}
            seen |= longer
        assert puzzle.word in seen


def test_stack_programs_by_hand() -> None:
    asked: dict[str, object] = {"program": ["push 7", "push 2", "sub", "dup", "push 3", "rot", "over", "max", "neg"]}
    assert judged("StackMachine", asked, "5 3 -5")
    assert judged("StackMachine", asked, "[5, 3, -5]")
    for wrong in ("-5 3 5", "5 3", "5 3 -5 0", "-5"):
        assert not judged("StackMachine", asked, wrong)
    for program, said in (
        (["add"], "needs 2"), (["push x"], "instruction"), (["push 1", "drop"], "empty"), (["jump"], "instruction"),
        (["push 9999", *["dup", "mul"] * 6], "larger"),
    ):  # fmt: skip
        with pytest.raises(BadInput, match=said):
            family("StackMachine").from_instance({"program": program})


def test_the_busy_beaver_of_two_states() -> None:
    """Rado 1962: it halts after 6 steps with four ones on the tape."""
    asked: dict[str, object] = {"rules": ["1RB", "1LB", "1LA", "1RH"], "tape": "0"}
    puzzle: Any = family("TuringMachine").from_instance(asked)
    assert puzzle.steps == 6
    assert puzzle.left.count("1") == 4
    assert judged("TuringMachine", asked, f"Steps: 6, tape: {puzzle.left}")
    for wrong in (
        f"steps=7, tape={puzzle.left}",
        "steps=6, tape=1110",
        "steps=6",
        "6, 1111",
        f"steps=6, tape={puzzle.left}0",
    ):
        assert not judged("TuringMachine", asked, wrong), wrong
    with pytest.raises(BadInput, match="does not halt"):
        family("TuringMachine").from_instance({"rules": ["0RA", "0RH"], "tape": "0"})


@pytest.mark.parametrize(
    ("term", "normal"),
    [
        ("(\\x y.x) a b", "a"), ("(\\x y z.x z (y z)) (\\x y.x) (\\x y.x) a", "a"), ("(\\x.x x) (\\y.y) b", "b"),
        ("(\\x.\\y.x) y", "\\z.y"), ("(\\f x.f (f x)) (\\f x.f (f x))", "\\f x.f (f (f (f x)))"),
        ("(\\x y.y) ((\\x.x x) (\\x.x x)) a", "a"), ("\\x.(\\y.y) x", "\\x.x"), ("(λx.a x) b", "a b"),
    ],
)  # fmt: skip
def test_normal_forms_by_hand(term: str, normal: str) -> None:
    found = normal_form(parse_term(term))
    assert found is not None
    assert found[0] == parse_term(normal)
    assert parse_term(written(found[0])) == found[0]


def test_bound_names_do_not_matter_and_free_ones_do() -> None:
    asked: dict[str, object] = {"term": "(\\x y z.x z y) (\\u v.u)"}
    for right in ("\\x y.y", "\\a b.b", "λp.λq.q", "(\\x.(\\y.(y)))", "\\x y . y"):
        assert judged("LambdaReduction", asked, right), right
    for wrong in ("\\x y.x", "\\x y.z", "\\x.y", "(\\x y z.x z y) (\\u v.u)", "\\x y.(\\z.z) y", "x", "\\.x", "\\x y"):
        assert not judged("LambdaReduction", asked, wrong), wrong
    with pytest.raises(BadInput, match="no normal form"):
        family("LambdaReduction").from_instance({"term": "(\\x.x x) (\\x.x x)"})
    with pytest.raises(BadInput, match="already"):
        family("LambdaReduction").from_instance({"term": "\\x.x"})


@pytest.mark.parametrize(
    "text", ["", "(", ")", "\\x", "\\x.", "x)", "(" * 100 + "x", "\\x." * 90 + "x", "x y 9", "٤", "λλ.x", "x " * 900]
)
def test_terms_outside_the_grammar_are_unreadable(text: str) -> None:
    with pytest.raises(Unreadable):
        parse_term(text)


def test_knobs_that_leave_nothing_are_told_and_do_not_hang() -> None:
    kind = family("Colouring")
    with pytest.raises(BadInput, match="relax one"):  # a tree needs two colours, and two are no puzzle
        kind.generate(np.random.default_rng(1), kind.settings(0.0, {"density": 0.3}))
