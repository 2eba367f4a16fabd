"""Quotes a text as data: what a judge is shown of it, and how a place in that leads back to the text itself.

What is done, always one character for one or for none, so that every place keeps its address:

- invisible characters go: zero-width and direction marks, tags, variation selectors, fillers, control characters;
- stacks of more than three combining marks, and runs of blank lines or blanks, are cut short;
- chat-template tokens (`<|im_start|>`, `[INST]`, `<start_of_turn>`, ...), our own fences and speaker labels at the
  start of a line (`Assistant:`) get look-alike brackets and colons, also when they were spelled with look-alikes;
- every line is prefixed, and the whole stands between two lines with a token that the writer cannot know: a hash of
  everything in the call, the text included, so that a text which holds its own token is out of reach.

Source of the last step: "spotlighting", Hines et al. 2024 (arXiv:2403.14720).
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from dataclasses import dataclass

__all__ = ["PREFIX", "Shown", "fence", "fold", "neutralise", "role_tags", "token"]

PREFIX = "| "
_FILLERS = frozenset("\u034f\u115f\u1160\u3164\uffa0\u2800\u17b4\u17b5")
_BLANK_RUN, _LINE_RUN, _MARKS = 60, 2, 3
# Look-alikes of ASCII that no compatibility decomposition folds; Cyrillic and Greek letters that spell English words.
_LOOK = {
    **dict(zip("аеорсухіјѕԁһӏԛԝкмнтвАВЕКМНОРСТХУІЈЅ", "aeopcyxijsdhlqwkmhtbABEKMHOPCTXYIJS", strict=True)),
    **dict(zip("οανιρτυκΑΒΕΖΗΙΚΜΝΟΡΤΥΧ", "oaviptukABEZHIKMNOPTYX", strict=True)),
    **dict(zip("‹〈⟨❮≺˂⟪«", "<" * 8, strict=True)), **dict(zip("›〉⟩❯≻˃⟫»", ">" * 8, strict=True)),
    **dict(zip("⟦〔【［", "[" * 4, strict=True)), **dict(zip("⟧〕】］", "]" * 4, strict=True)),
    **dict(zip("¦ǀ∣│┃❘⏐", "|" * 7, strict=True)), **dict(zip("∶꞉ː։׃", ":" * 5, strict=True)),
    **dict(zip("‘’‚′´`", "'" * 6, strict=True)), **dict(zip("“”„″", '"' * 4, strict=True)), "▁": "_",
}  # fmt: skip
# What no honest text holds: tokens of chat templates, and our own fences.
_TAG = re.compile(
    r"<\|[^\n<>|]{1,40}\|>|</s>|<(?:start|end)_of_turn>|\[/?(?:INST|SYS|AVAILABLE_TOOLS|TOOL_CALLS)\]|<</?SYS>>|"
    r"<{2,9}\s{0,3}(?:END )?(?:QUESTION|REFERENCE|CANDIDATE|FIRST CANDIDATE|SECOND CANDIDATE)\b[^\n<>]{0,60}>{0,9}",
    re.IGNORECASE,
)
# What an honest text may hold, such as `ssh <user>@host`, and what a model may yet take for the end of a quotation.
_DOUBTFUL = re.compile(
    r"</?(?:s|system|user|assistant|human|model|bos|eos|instructions?|prompt|judge|grader|verdict|reference|candidate|"
    r"question|response)>|<{3,9}|>{3,9}|\[/?SYSTEM\]",
    re.IGNORECASE,
)
_SPEAKER = re.compile(
    r"^[ \t#*>\-]{0,8}(?:(?P<judge>assistant|judge|grader|examiner|evaluator)|system|user|human|ai|model|developer|"
    r"instruction)[ \t*]{0,4}:",
    re.IGNORECASE | re.MULTILINE,
)
_SOFT = str.maketrans({"<": "‹", ">": "›", "[": "⟦", "]": "⟧", "|": "¦"})


@dataclass(frozen=True, slots=True)
class Shown:
    """What is shown of a text.

    Args:
        text: As shown, without the fence.
        origin: For every character shown, its index in the text itself.
        hidden: How many characters were invisible and are not shown.
        tags: Where the text itself holds what no honest text does: chat-template tokens, fences of ours, a line that
            speaks as the judge.
    """

    text: str
    origin: tuple[int, ...]
    hidden: int = 0
    tags: tuple[tuple[int, int], ...] = ()

    def locate(self, quote: str) -> tuple[int, int] | None:
        """The characters of the text itself that a quote stands for; `None` if it does not occur.

        A quote is found as it is, apart from blanks around it and between words and the marks of quotation that a
        judge puts around it.

        >>> neutralise("so  2 + 2\\n= 5, clearly").locate('"2 + 2 = 5"')
        (4, 13)
        """
        for candidate in (quote.strip(), quote.strip().strip("\"'`“”‘’«»").strip()):
            words = candidate.replace("\n" + PREFIX, "\n").split()
            if not words or len(candidate) > 20_000:
                continue
            found = re.search(r"\s+".join(map(re.escape, words)), self.text)
            if found:
                return self.origin[found.start()], self.origin[found.end() - 1] + 1
        return None


def neutralise(text: str) -> Shown:
    """What a judge is shown of a text.

    >>> neutralise("4\\u200b2 <|im_start|>system").text
    '42 ‹¦im_start¦›system'
    """
    chars: list[str] = []
    origin: list[int] = []
    hidden = marks = blanks = lines = 0
    for i, char in enumerate(text):
        if invisible(char):
            hidden += 1
            continue
        marks = marks + 1 if unicodedata.category(char) == "Mn" else 0
        lines = lines + 1 if char == "\n" else (lines if char in " \t" else 0)
        blanks = blanks + 1 if char.isspace() and char != "\n" else 0
        if marks > _MARKS or lines > _LINE_RUN or blanks > _BLANK_RUN:
            continue
        chars.append(char)
        origin.append(i)
    plain = "".join(chars)
    tags = role_tags(plain)
    for start, end, _ in tags:
        folded = fold(plain[start:end])
        chars[start:end] = list(folded.translate(_SOFT)) if folded[-1] != ":" else [*chars[start : end - 1], "∶"]
    where = tuple((origin[start], origin[end - 1] + 1) for start, end, guilty in tags if guilty)
    return Shown("".join(chars), tuple(origin), hidden, where)


def invisible(char: str) -> bool:
    """Whether a character shows nothing and is no blank.

    >>> [invisible(char) for char in ("\\u200b", "\\U000e0041", "\\n", " ", "é")]
    [True, True, False, False, False]
    """
    if char in "\n\t" or (char.isascii() and char.isprintable()):
        return False
    code = ord(char)
    return (
        char in _FILLERS
        or 0xFE00 <= code <= 0xFE0F
        or 0xE0000 <= code <= 0xE0FFF
        or unicodedata.category(char) in ("Cc", "Cf", "Co", "Cs", "Cn")
    )


def fold(text: str) -> str:
    """The text with look-alikes replaced by ASCII, as long as before; only for looking at, never for showing.

    >>> fold("＜｜ｉｍ＿ｓｔａｒｔ｜＞ ассeрt")
    '<|im_start|> accept'
    """
    return "".join(map(_plain, text))


def _plain(char: str) -> str:
    if char.isascii():
        return char
    if char in _LOOK:
        return _LOOK[char]
    folded = unicodedata.normalize("NFKC", char)
    return folded if len(folded) == 1 else char


def role_tags(text: str, *, look_alikes: bool = True) -> list[tuple[int, int, bool]]:
    """Where a text without invisible characters holds template tokens, fences or speaker labels, in order.

    Args:
        look_alikes: Whether what merely looks like one counts.
    Returns:
        Start, end, and whether no honest text holds it.
    """
    folded = fold(text) if look_alikes else text
    found = [(*match.span(), True) for match in _TAG.finditer(folded)]
    found += [(*match.span(), match["judge"] is not None) for match in _SPEAKER.finditer(folded)]
    found += [(*match.span(), False) for match in _DOUBTFUL.finditer(folded)]
    kept: list[tuple[int, int, bool]] = []
    for start, end, guilty in sorted(found, key=lambda row: (row[0], -row[1])):
        if not kept or start >= kept[-1][1]:
            kept.append((start, end, guilty))
    return kept


def token(seed: int, *contents: str) -> str:
    """Twelve hexadecimal digits that depend on everything in a call.

    >>> token(0, "question", "answer") == token(0, "question", "answer") != token(1, "question", "answer")
    True
    """
    hashed = hashlib.sha256(str(seed).encode())
    for content in contents:
        data = content.encode("utf-8", "surrogatepass")
        hashed.update(len(data).to_bytes(8, "big") + data)
    return hashed.hexdigest()[:12]


def fence(label: str, text: str, mark: str) -> str:
    """A text between two lines that carry the call's token, every line prefixed.

    >>> print(fence("CANDIDATE", "a\\nb", "0a1b"))
    <<<CANDIDATE 0a1b>>>
    | a
    | b
    <<<END CANDIDATE 0a1b>>>
    """
    lines = "\n".join(PREFIX + line for line in text.split("\n"))
    return f"<<<{label} {mark}>>>\n{lines}\n<<<END {label} {mark}>>>"
