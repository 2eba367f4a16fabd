"""Strings and ciphers: hand-worked instances, other valid answers, near misses, and independent searches."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

from proofgym.envs.puzzles import family
from proofgym.envs.puzzles.bracket_repair import _PAIRS
from proofgym.envs.puzzles.ciphers import _apply, _keys
from proofgym.envs.puzzles.contract import Illegal
from proofgym.envs.puzzles.short_words import FOUR, THREE
from proofgym.errors import BadInput


def drawn(name: str, count: int, level: float = 0.0, seed: int = 9, **knobs: Any) -> list[Any]:
    kind = family(name)
    return [kind.generate(np.random.default_rng([seed, i]), kind.settings(level, knobs)) for i in range(count)]


def judged(name: str, data: dict[str, object], answer: str) -> bool:
    return family(name).from_instance(data).verify(f"Answer: {answer}").correct


def test_the_word_list_is_clean() -> None:
    for words, size in ((THREE, 3), (FOUR, 4)):
        assert list(words) == sorted(set(words))
        assert all(len(word) == size and word.isascii() and word.islower() for word in words)
    assert len(THREE) + len(FOUR) >= 500


LADDER: dict[str, object] = {
    "words": ["cold", "cord", "card", "ward", "warm", "bold", "bald", "bard", "worm", "word"],
    "start": "cold", "target": "warm",
}  # fmt: skip


def test_word_ladders_of_any_length_count() -> None:
    puzzle: Any = family("WordLadder").from_instance(LADDER)
    assert puzzle.distance("cold") == 4
    for right in ("cord, card, ward, warm", "cord\nword\nworm\nwarm", "[bold, bald, bard, card, ward, warm]"):
        assert judged("WordLadder", LADDER, right)
    verdict = puzzle.verify("Answer: bold, bald, bard, card, ward, warm")
    assert verdict.parts["optimal"] == pytest.approx(4 / 6)
    for wrong in (
        "warm",
        "cord, card, ward",
        "cord, core, care, card, ward, warm",
        "cold, cord, card, ward, warm",
        "card, ward, warm",
    ):
        assert not judged("WordLadder", LADDER, wrong), wrong
    with pytest.raises(Illegal, match="not in the list"):
        puzzle.apply("cold", "gold")
    with pytest.raises(BadInput, match="cannot be reached"):
        family("WordLadder").from_instance({"words": ["cold", "warm"], "start": "cold", "target": "warm"})


def test_rewriting_by_hand() -> None:
    asked: dict[str, object] = {"rules": [["ab", "ba"], ["aa", "c"]], "longest": 4, "start": "aab", "target": "bc"}
    puzzle: Any = family("Rewriting").from_instance(asked)
    assert puzzle.distance("aab") == 3
    assert judged("Rewriting", asked, "1 at 2, 1 at 1, 2 at 2")
    assert judged("Rewriting", asked, "rule 1 at place 2; 1@1; 2 at 2")
    for wrong in ("2 at 1", "1 at 1", "1 at 2, 1 at 1", "1 at 2, 1 at 1, 2 at 3", "3 at 1", "bc"):
        assert not judged("Rewriting", asked, wrong), wrong
    assert puzzle.distance("cb") is None
    assert puzzle.moves("cb") == []


def test_rewriting_never_passes_the_limit() -> None:
    asked: dict[str, object] = {"rules": [["a", "aa"], ["a", "b"]], "longest": 3, "start": "a", "target": "bbb"}
    puzzle: Any = family("Rewriting").from_instance(asked)
    assert puzzle.distance("a") == 5
    with pytest.raises(Illegal, match="more than 3"):
        puzzle.apply("aaa", "1 at 1")


def test_sorting_by_hand() -> None:
    asked: dict[str, object] = {"moves": [["swap", 1, 3], ["rotate", 1, 3], ["reverse", 1, 2]], "start": [3, 1, 2]}
    puzzle: Any = family("SortMoves").from_instance(asked)
    assert puzzle.apply((3, 1, 2), "b") == (1, 2, 3)
    assert puzzle.apply((1, 2, 3), "a") == (3, 2, 1)
    assert puzzle.distance((3, 1, 2)) == 1
    assert judged("SortMoves", asked, "b")
    assert judged("SortMoves", asked, "a, c, a, a".replace("a, c, a, a", "b, a, a"))
    assert not judged("SortMoves", asked, "a")
    with pytest.raises(BadInput, match="cannot be reached"):
        family("SortMoves").from_instance({"moves": [["swap", 1, 2]], "start": [1, 3, 2]})


def test_edit_scripts_have_to_be_shortest() -> None:
    asked: dict[str, object] = {"start": "abc", "target": "bcd"}
    puzzle: Any = family("EditScript").from_instance(asked)
    assert puzzle.distance("abc") == 2
    for right in ("delete 1, insert d at 3", "insert d at 4, delete 1"):
        assert judged("EditScript", asked, right)
    for wrong in ("replace b at 1, replace c at 2, replace d at 3", "delete 1", "delete 1, insert d at 4", "bcd"):
        assert not judged("EditScript", asked, wrong), wrong
    assert puzzle.apply("", "insert a at 1") == "a"
    with pytest.raises(Illegal):
        puzzle.apply("ab", "replace a at 1")


@pytest.mark.parametrize("kind", ["caesar", "affine", "rail fence", "vigenere"])
def test_ciphers_come_back(kind: str) -> None:
    keys = _keys(kind)
    text = "meet me at dawn near the old oak"
    for i in (0, len(keys) // 2, len(keys) - 1):
        secret = _apply(kind, keys[i], text, 1)
        assert secret != text or keys[i] == "aaa"
        assert _apply(kind, keys[i], secret, -1) == text


def test_ciphers_by_hand() -> None:
    assert _apply("caesar", 3, "xyz abc", 1) == "abc def"
    assert _apply("affine", (5, 8), "affine", 1) == "ihhwvc"
    assert _apply("rail fence", 3, "wearediscoveredfleeatonce", 1) == "wecrlteerdsoeefeaocaivden"
    assert _apply("vigenere", "lem", "attack", 1) == "lxflgw"


@pytest.mark.parametrize("kind", ["caesar", "affine", "rail fence", "vigenere"])
def test_the_plain_text_is_unique_among_all_keys(kind: str) -> None:
    words = {*THREE, *FOUR}
    for puzzle in drawn("Cipher", 5, kind=kind):
        fits = set()
        for i in range(len(_keys(kind))):
            text = _apply(kind, _keys(kind)[i], puzzle.text, -1)
            if set(text.split()) <= words and text.startswith(puzzle.known):
                fits.add(text)
        assert list(fits) == puzzle.plain
        assert puzzle.verify(f"Answer: {puzzle.plain[0].upper()}.").correct
        assert not puzzle.verify(f"Answer: {puzzle.plain[0][:-1]}").correct


def test_substitution_takes_every_reading_that_fits() -> None:
    asked: dict[str, object] = {"text": "xyz", "words": ["cat", "dog", "eel"]}
    assert judged("Substitution", asked, "cat")
    assert judged("Substitution", asked, "Dog")
    for wrong in ("eel", "xyz", "cat dog", "pig", ""):
        assert not judged("Substitution", asked, wrong)
    pair: dict[str, object] = {"text": "xyz zyx", "words": ["tap", "pat", "cat"]}
    assert judged("Substitution", pair, "tap pat")
    assert not judged("Substitution", pair, "tap cat")
    with pytest.raises(BadInput, match="no words"):
        family("Substitution").from_instance({"text": "xxx", "words": ["cat"]})


def test_common_subsequences_by_trying_all() -> None:
    for puzzle in drawn("CommonSubsequence", 6):
        first, second = puzzle.words

        def inside(part: tuple[str, ...], word: str) -> bool:
            rest = iter(word)
            return all(c in rest for c in part)

        best = max(
            size
            for size in range(len(first) + 1)
            if any(inside(p, second) for p in itertools.combinations(first, size))
        )
        assert len(puzzle.best) == best
    asked: dict[str, object] = {"words": ["abcab", "bacba"]}
    for right in ("bca", "acb", "'aca'", "baa".replace("baa", "bcb")):
        assert judged("CommonSubsequence", asked, right)
    for wrong in ("ab", "abc", "bca b", "b c a", ""):
        assert not judged("CommonSubsequence", asked, wrong)


def balanced(word: str) -> bool:
    while any(pair in word for pair in _PAIRS):
        for pair in _PAIRS:
            word = word.replace(pair, "")
    return not word


def test_brackets_by_trying_all() -> None:
    for puzzle in drawn("BracketRepair", 6, length=6, changes=3, kinds=2):
        n = len(puzzle.word)
        best = min(
            sum(a != b for a, b in zip(word, puzzle.word, strict=True))
            for word in map("".join, itertools.product("()[]{}<>"[: 8 if n < 6 else 4], repeat=n))
            if balanced(word)
        )
        assert puzzle.best[0] == best
        assert balanced(puzzle.best[1])


def test_brackets_with_one_change_too_many_are_wrong() -> None:
    asked: dict[str, object] = {"word": "([)]"}
    for right in ("[[]]", "(())", "()[]", "([])"):
        assert judged("BracketRepair", asked, right) == (sum(a != b for a, b in zip(right, "([)]", strict=True)) == 2)
    for wrong in ("([)]", "{[]}", "()", "(()]", "<<>>"):
        assert not judged("BracketRepair", asked, wrong)
    with pytest.raises(BadInput, match="match already"):
        family("BracketRepair").from_instance({"word": "()"})


def test_letter_banks_take_any_words_that_use_them_up() -> None:
    asked: dict[str, object] = {"letters": "aeptt", "words": ["tap", "pet", "et", "at", "pat"]}
    for right in ("pat et", "et, tap", "at PET"):
        assert judged("LetterBank", asked, right)
    for wrong in ("pat", "tap pet", "et et", "tape t", "aeptt"):
        assert not judged("LetterBank", asked, wrong)
    with pytest.raises(BadInput, match="no words"):
        family("LetterBank").from_instance({"letters": "zz", "words": ["tap", "pet"]})
