"""Classical ciphers without their key: Caesar, affine, rail fence, Vigenere with a known word, and substitution."""

from __future__ import annotations

import functools
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
from typing_extensions import Self

from proofgym.envs.puzzles import answers, fields
from proofgym.envs.puzzles.contract import Knob, Knobs, Option, Puzzle
from proofgym.envs.puzzles.draws import Draws
from proofgym.envs.puzzles.short_words import FOUR, THREE
from proofgym.errors import BadInput
from proofgym.verifiers import Verdict

__all__ = ["Cipher", "Substitution"]

_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_WORDS = frozenset((*THREE, *FOUR))
_KINDS = ("caesar", "affine", "rail fence", "vigenere")


class Cipher(Puzzle):
    """Decipher English words without the key.

    Every key is tried: exactly one of them gives words of the shipped list throughout, so the plain text is unique.
    """

    family = "cipher"
    knobs: ClassVar[Mapping[str, Knob | Option]] = {
        "words": Knob(4, 10, "words of the text", 3, 30),
        "kind": Option(("any", *_KINDS), "which cipher"),
    }
    hardness_of = "letters of the text, times the binary digits of the number of keys"

    @classmethod
    def generate(cls, rng: np.random.Generator, knobs: Knobs) -> Self:
        pool = (*THREE, *FOUR, *FOUR)
        attempts = Draws(cls.family)
        while True:
            attempts.count()
            kind = knobs["kind"] if knobs["kind"] != "any" else _KINDS[int(rng.integers(len(_KINDS)))]
            words = [pool[i] for i in rng.integers(len(pool), size=int(knobs["words"])).tolist()]
            if kind == "vigenere":  # the known word covers the key
                words[0] = FOUR[int(rng.integers(len(FOUR)))]
            keys = _keys(kind)
            key = keys[int(rng.integers(len(keys)))]
            data = {"kind": kind, "text": _apply(kind, key, " ".join(words), 1)}
            if kind == "vigenere":
                data["known"] = words[0]
            if len(cls(data).plain) == 1:
                return cls(data)

    def read(self, data: Mapping[str, Any]) -> None:
        self.kind = fields.one_of(data, "kind", _KINDS)
        fields.only(data, "kind", "text", *(("known",) if self.kind == "vigenere" else ()))
        self.text = fields.text(data, "text", f"{_LETTERS} ", least=3, most=400)
        self.known = fields.text(data, "known", _LETTERS, least=3, most=20) if self.kind == "vigenere" else ""

    def prove(self) -> None:
        if len(self.plain) != 1:
            raise BadInput(f"{len(self.plain)} plain texts of known words fit; exactly one is asked for")

    @functools.cached_property
    def plain(self) -> list[str]:
        """Every plain text that is made of known words."""
        found = []
        if self.kind == "vigenere":
            if len(self.known) > len(self.text.partition(" ")[0]):
                return []
            shifts = [(_LETTERS.index(c) - _LETTERS.index(p)) % 26 for c, p in zip(self.text, self.known, strict=False)]
            keys: Sequence[Any] = ["".join(_LETTERS[s] for s in shifts[:3])]
        else:
            keys = _keys(self.kind)
        for key in keys:
            text = _apply(self.kind, key, self.text, -1)
            if all(word in _WORDS for word in text.split(" ")) and text not in found and text.startswith(self.known):
                found.append(text)
        return found

    def question(self) -> str:
        how = {
            "caesar": "Every letter was moved on in the alphabet by the same number of places, z to a",
            "affine": "Count letters from a = 0 to z = 25. For two secret numbers m and s, x became m*x + s modulo 26",
            "rail fence": (
                "The letters were written down and up in a zigzag over a secret number of rows, from 2 to 7, and "
                "read row by row; blanks stayed in their places, and the letters were filled in between them"
            ),
            "vigenere": (
                "A secret key of three letters was repeated below the letters (not the blanks), and each letter was "
                "moved on by the place of the key's letter, a = 0 to z = 25. The first word of the plain text is "
                f"known to be {self.known!r}"
            ),
        }[self.kind]
        return (
            f"This text is enciphered:\n{self.text}\n{how}. The plain text is made of common English words. Decipher "
            "it.\n"
            "End with a line 'Answer: ' and the plain text."
        )

    def judge(self, answer: str) -> Verdict:
        said = " ".join(answers.words(answer, most=400))
        return Verdict.right() if said in self.plain else Verdict.wrong("it is not the plain text")

    def solution(self) -> str:
        return self.plain[0]

    def hardness(self) -> float:
        letters = len(self.text.replace(" ", ""))
        return letters * math.log2(len(_keys(self.kind)))

    def cheats(self) -> Sequence[str]:
        return (f"Answer: {self.text}", f"Answer: {self.known}", "Answer: " + "the " * self.text.count(" "))


def _keys(kind: str) -> Sequence[Any]:
    if kind == "caesar":
        return range(1, 26)
    if kind == "affine":
        return [(m, s) for m in range(3, 26, 2) if m != 13 for s in range(26)]
    if kind == "rail fence":
        return range(2, 8)
    return _VigenereKeys()


class _VigenereKeys(Sequence[str]):
    """All keys of three letters."""

    def __len__(self) -> int:
        return 26**3

    def __getitem__(self, i: Any) -> Any:
        return _LETTERS[i // 676] + _LETTERS[i // 26 % 26] + _LETTERS[i % 26]


def _apply(kind: str, key: Any, text: str, sign: int) -> str:
    """Encipher (sign 1) or decipher (sign -1)."""
    if kind == "rail fence":
        letters = text.replace(" ", "")
        period = 2 * (key - 1)
        order = sorted(range(len(letters)), key=lambda i: (min(i % period, period - i % period), i))
        moved = [""] * len(letters)
        for place, i in enumerate(order):
            moved[place if sign > 0 else i] = letters[i if sign > 0 else place]
        rest = iter(moved)
        return "".join(c if c == " " else next(rest) for c in text)
    if kind == "caesar":
        table = str.maketrans(_LETTERS, "".join(_LETTERS[(x + sign * key) % 26] for x in range(26)))
        return text.translate(table)
    if kind == "affine":
        image = "".join(_LETTERS[(key[0] * x + key[1]) % 26] for x in range(26))
        return text.translate(str.maketrans(_LETTERS, image) if sign > 0 else str.maketrans(image, _LETTERS))
    result, i = [], 0
    for c in text:
        if c != " ":
            c = _LETTERS[(_LETTERS.index(c) + sign * _LETTERS.index(key[i % len(key)])) % 26]
            i += 1
        result.append(c)
    return "".join(result)


class Substitution(Puzzle):
    """Decipher words of a list, when every letter stands for another one; any reading that fits is right."""

    family = "substitution"
    knobs: ClassVar[Mapping[str, Knob]] = {
        "words": Knob(4, 8, "words of the text", 2, 20),
        "listed": Knob(12, 60, "words of the list", 4, 120),
    }
    hardness_of = "words that a search tries before it has the reading and knows that there is no other"

    @classmethod
    def generate(cls, rng: np.random.Generator, knobs: Knobs) -> Self:
        pool = (*THREE, *FOUR)
        attempts = Draws(cls.family)
        while True:
            attempts.count()
            listed = [pool[i] for i in rng.permutation(len(pool))[: knobs["listed"]].tolist()]
            words = listed[: min(knobs["words"], len(listed))]
            key = str.maketrans(_LETTERS, "".join(_LETTERS[i] for i in rng.permutation(26).tolist()))
            puzzle = cls({"text": " ".join(words).translate(key), "words": sorted(listed)})
            if len(puzzle.found[0]) == 1:
                return puzzle

    def read(self, data: Mapping[str, Any]) -> None:
        fields.only(data, "text", "words")
        self.text = fields.text(data, "text", f"{_LETTERS} ", most=400)
        self.secret = self.text.split(" ")
        self.words = fields.texts(data, "words", _LETTERS, most=200, longest=20)
        if len(set(self.words)) < len(self.words) or not all(self.secret):
            raise BadInput("'words' are different, and one blank stands between the words of 'text'")

    def prove(self) -> None:
        if not self.found[0]:
            raise BadInput("no words of the list fit this text")

    @functools.cached_property
    def found(self) -> tuple[list[str], int]:
        """Up to two readings, and the words that the search tried."""
        order = sorted(set(self.secret), key=lambda word: (-len(word), word))
        tried, readings = 0, list[str]()

        def search(left: list[str], key: dict[str, str]) -> Iterator[dict[str, str]]:
            nonlocal tried
            if not left:
                yield key
                return
            best: tuple[str, list[dict[str, str]]] | None = None
            for secret in left:
                fits = []
                for word in self.words:
                    tried += 1
                    longer = _extended(key, secret, word)
                    if longer is not None:
                        fits.append(longer)
                if best is None or len(fits) < len(best[1]):
                    best = (secret, fits)
                if not fits:
                    return
            assert best is not None
            for longer in best[1]:
                yield from search([word for word in left if word != best[0]], longer)

        for key in search(order, {}):
            readings.append("".join(key.get(c, c) for c in self.text))
            if len(readings) == 2 or tried > 2_000_000:
                break
        return readings, tried

    def canonical(self) -> Any:
        """Whatever the letters of the cipher are."""
        names: dict[str, int] = {}
        return [[[names.setdefault(c, len(names)) for c in word] for word in self.secret], sorted(self.words)]

    def question(self) -> str:
        return (
            f"In this text every letter stands for another letter, always the same, and no two for the "
            f"same:\n{self.text}\n"
            f"All its words are among these:\n{' '.join(self.words)}\nDecipher the text.\n"
            "End with a line 'Answer: ' and the plain text."
        )

    def judge(self, answer: str) -> Verdict:
        said = answers.words(answer, most=400)
        if len(said) != len(self.secret):
            return Verdict.wrong(f"the text has {len(self.secret)} words, not {len(said)}")
        key: dict[str, str] = {}
        for secret, word in zip(self.secret, said, strict=True):
            if word not in self.words:
                return Verdict.wrong(f"{word[:40]!r} is not in the list")
            longer = _extended(key, secret, word)
            if longer is None:
                return Verdict.wrong(f"{secret!r} cannot be {word!r}")
            key = longer
        return Verdict.right()

    def solution(self) -> str:
        return self.found[0][0]

    def hardness(self) -> float:
        return float(self.found[1])

    def cheats(self) -> Sequence[str]:
        return (
            f"Answer: {self.text}",
            f"Answer: {' '.join(self.words[: len(self.secret)])}",
            f"Answer: {' '.join(self.words)}",
        )


def _extended(key: dict[str, str], secret: str, word: str) -> dict[str, str] | None:
    """A key that also turns the secret word into the word, or `None`."""
    if len(secret) != len(word):
        return None
    longer = dict(key)
    for c, p in zip(secret, word, strict=True):
        if longer.setdefault(c, p) != p:
            return None
    return longer if len(set(longer.values())) == len(longer) else None
