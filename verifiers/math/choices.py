"""Multiple choice with the options at hand: an answer may name the letter, write its text, or both."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from proofgym.errors import Unjudged
from proofgym.verifiers.math.reading import squeeze, unwrap
from proofgym.verifiers.verdict import Verdict

__all__ = ["choose"]

_LETTER = re.compile(r"\(?\s*([A-Za-z])\s*\)?[.:]?")
_LETTER_AND_TEXT = re.compile(r"\(?([A-Z])[).:]\s*(\S.*)", re.DOTALL)


def choose(gold: str, answer: str, choices: Mapping[str, str], same: Callable[[str, str], Verdict]) -> Verdict:
    """Judge an answer to a question with lettered options.

    Args:
        gold: The right letter, or the text of the right option.
        answer: A letter, an option's text, or a letter with a text, which then have to belong together.
        choices: From capital letter to the option's text.
        same: How an option's text and an answer's are compared.
    Raises:
        Unjudged: If the gold answer names no option, or several.
    """
    wanted = _option(gold, choices)
    text = unwrap(answer).strip()
    both = _LETTER_AND_TEXT.fullmatch(text)
    if both is not None and both[1] in choices:
        if both[1] != wanted:
            return Verdict.wrong(f"it chooses {both[1]}")
        return Verdict.right("the letter") if same(choices[wanted], both[2]).correct else _disagrees(both[1])
    alone = _LETTER.fullmatch(text)
    if alone is not None and alone[1].upper() in choices and squeeze(text) != squeeze(unwrap(choices[wanted])):
        return Verdict.right("the letter") if alone[1].upper() == wanted else Verdict.wrong(f"it chooses {alone[1]}")
    return same(choices[wanted], answer)


def _disagrees(letter: str) -> Verdict:
    return Verdict.wrong(f"the text beside {letter} is not that of {letter}")


def _option(gold: str, choices: Mapping[str, str]) -> str:
    letter = _LETTER.fullmatch(unwrap(gold).strip())
    if letter is not None and letter[1].upper() in choices:
        return letter[1].upper()
    named = [key for key, text in choices.items() if squeeze(unwrap(text)) == squeeze(unwrap(gold))]
    if len(named) != 1:
        raise Unjudged(f"the gold answer {gold[:60]!r} is the text of {len(named)} of the options {', '.join(choices)}")
    return named[0]
