"""Characters that hide, reorder their neighbours or command a terminal: find them, and say which they are.

Text that a policy or a data set wrote is shown to people in a page and in a terminal. There a right-to-left override
or an escape sequence makes them read something else than what was judged.
"""

from __future__ import annotations

import re
from collections.abc import Callable

__all__ = ["named", "replace", "sign"]

# Control characters other than tab and line feed, soft hyphen, bidirectional controls, zero-width characters, line and
# paragraph separators, lone surrogates, interlinear marks and tags; a run of the same one is one match.
_HIDDEN = re.compile(
    "(?P<char>[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff"
    "\ud800-\udfff\ufff9-\ufffb\U000e0000-\U000e007f])(?P=char)*"
)


def replace(text: str, show: Callable[[str, int], str]) -> str:
    """Replace every run of one hidden character by what `show(character, times)` returns."""
    return _HIDDEN.sub(lambda match: show(match["char"], len(match[0])), text)


def named(text: str) -> str:
    """Plain text in which hidden characters are spelled out.

    >>> named("a\\x1b[31m\\u202e")
    'a␛[31m[U+202E]'
    """
    return replace(text, lambda char, times: sign(char) * min(times, 3) + ("…" if times > 3 else ""))


def sign(char: str) -> str:
    """What to show in a hidden character's place.

    >>> sign("\\x00"), sign("\\u200b")
    ('␀', '[U+200B]')
    """
    return chr(0x2400 + ord(char)) if ord(char) < 0x20 else f"[U+{ord(char):04X}]"
