"""Whether a text keeps to one language, by the scripts of its words."""

from __future__ import annotations

import re
from typing import Literal, get_args

from proofgym.errors import BadInput

__all__ = ["LANGUAGES", "Language", "consistency", "prose", "words_by_script"]

Language = Literal["en", "zh"]
LANGUAGES: tuple[Language, ...] = get_args(Language)

_SCRIPT_OF: dict[str, str] = {"en": "latin", "zh": "han"}

# A word is a run of letters of one script; of Han, which has no blanks, each character is one.
_SCRIPTS = re.compile(
    r"(?P<latin>[A-Za-z\u00aa\u00ba\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u024f\u1e00-\u1eff\uff21-\uff3a\uff41-\uff5a]+)"
    r"|(?P<han>[\u3005\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U000323af])"
    r"|(?P<greek>[\u0370-\u03ff\u1f00-\u1fff]+)"
    r"|(?P<other>[^\W\d_A-Za-z\u00aa\u00ba\u00c0-\u024f\u0370-\u03ff\u1e00-\u1fff\u3005\u3007\u3400-\u4dbf\u4e00-\u9fff"
    r"\uf900-\ufaff\uff21-\uff3a\uff41-\uff5a\U00020000-\U000323af]+)"
)
_MARKS = re.compile(r"```|~~~|`|\$\$|\$|\\\(|\\\)|\\\[|\\\]|</?[A-Za-z][A-Za-z0-9_-]{0,30}>|https?://|\\[A-Za-z]+")
_CLOSES = {"```": "```", "~~~": "~~~", "`": "`", "$$": "$$", "$": "$", "\\(": "\\)", "\\[": "\\]"}
_NOT_WORD = re.compile(r"[\s\"'<>)\]]")


def prose(text: str) -> str:
    """A text with code, formulas, tags, addresses and LaTeX commands blanked out, its length kept.

    One pass. What opens and never closes is not taken out, or a single mark would hide the rest of the text.

    >>> prose("so `x = 1` and $a+b$ hold")
    'so         and       hold'
    """
    kept: list[str] = []
    place = 0
    missing: set[str] = set()  # marks known not to close any more: never searched for twice, so this stays linear
    while (mark := _MARKS.search(text, place)) is not None:
        sign, end = mark[0], mark.end()
        kept.append(text[place : mark.start()])
        closing = _CLOSES.get(sign)
        if closing is not None and closing not in missing:
            found = text.find(closing, end)
            if found < 0:
                missing.add(closing)
            else:
                end = found + len(closing)
        elif sign.startswith("http"):
            stop = _NOT_WORD.search(text, end)
            end = stop.start() if stop else len(text)
        kept.append(" " * (end - mark.start()))
        place = end
    kept.append(text[place:])
    return "".join(kept)


def words_by_script(text: str) -> dict[str, int]:
    """How many words of each script the prose of a text has: `latin`, `han`, `greek`, `other`.

    Single Greek letters are not counted: in prose about mathematics they are names.

    >>> words_by_script("angle α is 直角, and `код` is code")
    {'latin': 5, 'han': 2, 'greek': 0, 'other': 0}
    """
    counts = {"latin": 0, "han": 0, "greek": 0, "other": 0}
    for match in _SCRIPTS.finditer(prose(text)):
        kind = str(match.lastgroup)
        counts[kind] += not (kind == "greek" and match.end() - match.start() == 1)
    return counts


def consistency(text: str, language: Language) -> float:
    """The share of a text's words that are written in the language's script. In [0, 1]; 0 for a text without words.

    The script stands for the language: Latin words for English, Han characters for Chinese. French passes for English;
    what is caught is the mixing of scripts that reinforcement learning drifts into.

    Raises:
        BadInput: For a language other than `en` and `zh`.
    Source:
        DeepSeek-AI 2025, DeepSeek-R1, section 2.3.2: the proportion of target language words (arXiv:2501.12948).

    >>> consistency("The answer is 四.", "en"), consistency("答案是 $x = 4$。", "zh")
    (0.75, 1.0)
    """
    if language not in LANGUAGES:
        raise BadInput(f"a language is one of {', '.join(LANGUAGES)}, found {language!r}")
    counts = words_by_script(text)
    total = sum(counts.values())
    return counts[_SCRIPT_OF[language]] / total if total else 0.0
