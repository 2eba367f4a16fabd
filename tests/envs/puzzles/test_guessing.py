"""Games of hidden information: answers, information as potential, and turns that run out."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from proofgym.envs.puzzles.contract import Illegal
from proofgym.envs.puzzles.five_letters import WORDS
from proofgym.envs.puzzles.guessing import GuessingGame
from proofgym.envs.puzzles.mastermind import Mastermind
from proofgym.envs.puzzles.twenty_questions import TwentyQuestions
from proofgym.envs.puzzles.word_guess import WordGuess, marks
from proofgym.errors import BadInput

GAMES = (Mastermind, TwentyQuestions, WordGuess)
CODE = {"secret": "1123", "clues": [], "colours": 6, "guesses": 8}


@pytest.mark.parametrize(
    ("guess", "said"),
    [("1123", (4, 0)), ("3211", (0, 4)), ("1111", (2, 0)), ("2211", (0, 3)), ("4561", (0, 1)), ("1312", (1, 3))],
)
def test_mastermind_counts_right_and_misplaced_digits(guess: str, said: tuple[int, int]) -> None:
    assert Mastermind(CODE).answer(guess, "1123") == f"{said[0]} right, {said[1]} misplaced"


def test_mastermind_reads_codes_in_several_spellings() -> None:
    puzzle = Mastermind.from_instance(CODE)
    for move in ("1 2 3 4", "guess 1234", "1-2-3-4"):
        assert puzzle.apply((), move) == ("1234",)
    for move in ("123", "12345", "1237", "0123"):
        with pytest.raises(Illegal, match="4 digits up to 6"):
            puzzle.apply((), move)


@pytest.mark.parametrize(
    ("guess", "secret", "said"),
    [
        ("sleet", "eagle", "-YYY-"),
        ("apple", "apple", "GGGGG"),
        ("allow", "llama", "YGY--"),
        ("geese", "elbow", "-Y---"),
    ],
)
def test_letters_are_marked_no_more_often_than_they_occur(guess: str, secret: str, said: str) -> None:
    assert marks(guess, secret) == said


def test_the_word_list_is_long_clean_and_in_order() -> None:
    assert len(WORDS) >= 500
    assert list(WORDS) == sorted(set(WORDS))
    assert all(len(word) == 5 and word.isascii() and word.islower() for word in WORDS)


@pytest.mark.parametrize("kind", GAMES)
def test_the_potential_is_the_information_that_is_gained(kind: type[GuessingGame[Any]]) -> None:
    """Counted again, candidate by candidate, from the answers."""
    for index in range(5):
        puzzle = kind.generate(np.random.default_rng(index), kind.settings(0.5))
        rng = np.random.default_rng(index)
        state: tuple[str, ...] = ()
        while not puzzle.lost(state) and not puzzle.solved(state):
            moves = puzzle.moves(state)
            state = puzzle.apply(state, moves[int(rng.integers(len(moves)))])
            if puzzle.lost(state):
                assert puzzle.potential(state) == 0.0
            elif not puzzle.solved(state):
                fit = [
                    one for one in puzzle.candidates()
                    if all(puzzle.answer(move, one) == puzzle.answer(move, puzzle.secret) for move in state)
                ]  # fmt: skip
                assert puzzle.secret in fit
                expected = 1 - math.log(1 + len(fit)) / math.log(1 + len(puzzle.candidates()))
                assert puzzle.potential(state) == pytest.approx(expected)


@pytest.mark.parametrize("kind", GAMES)
def test_a_careful_player_wins_within_the_turns(kind: type[GuessingGame[Any]]) -> None:
    for index in range(10):
        puzzle = kind.generate(np.random.default_rng(index), kind.settings(1.0))
        assert puzzle.hardness() <= puzzle.limit
    with pytest.raises(BadInput, match="careful player"):
        kind.from_instance({**puzzle.data, "turns" if kind is TwentyQuestions else "guesses": 1})


@pytest.mark.parametrize("kind", GAMES)
def test_what_is_shown_does_not_name_the_secret(kind: type[GuessingGame[Any]]) -> None:
    puzzle = kind.generate(np.random.default_rng(3), kind.settings(0.5))
    if kind is not TwentyQuestions:
        assert puzzle.naming(puzzle.secret) not in puzzle.rules() + puzzle.view(())
    assert puzzle.rules() == kind({**puzzle.data}).rules()


def test_positions_that_go_on_after_the_end_are_refused() -> None:
    puzzle = Mastermind.from_instance(CODE)
    for bad in (["1123", "1111"], ["zzzz"], ["1 1 2 3"], ["1111"] * 9):
        with pytest.raises(BadInput):
            puzzle.unpack(bad)


def test_questions_about_the_table_by_hand() -> None:
    table = [["ball", "red", "tiny"], ["bell", "red", "huge"], ["book", "blue", "tiny"], ["box", "blue", "huge"]]
    puzzle = TwentyQuestions.from_instance({"properties": ["colour", "size"], "table": table, "secret": 2, "turns": 3})
    state = puzzle.apply((), "is the colour blue?")
    assert puzzle.told((), "colour blue", state) == "The answer is: yes"
    assert puzzle.possible(state) == [2, 3]
    assert puzzle.solved(puzzle.apply(state, "book"))
    with pytest.raises(Illegal, match="words of the table"):
        puzzle.apply((), "colour green")
