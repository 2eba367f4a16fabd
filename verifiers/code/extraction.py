"""The program in a model's answer, and where in the answer it stands.

Read line by line, once, whatever the text: a long or broken answer costs time in proportion to its length.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

__all__ = ["Extraction", "extract"]

_TAGS = {
    "python": ("python", "py", "python3", "py3", "python2", "pycon"),
    "c": ("c",),
    "cpp": ("cpp", "c++", "cc", "cxx", "hpp"),
    "rust": ("rust", "rs"),
    "go": ("go", "golang"),
    "java": ("java",),
    "javascript": ("javascript", "js", "node", "mjs"),
    "typescript": ("typescript", "ts"),
}
_THOUGHT = "</think>"


@dataclass(frozen=True, slots=True)
class Extraction:
    """A program found in a text.

    Args:
        code: What to run. Equal to `text[start:end]`, except that the indentation of an indented block is taken off.
        fenced: Whether it stood in a fenced block; otherwise the whole text is taken.
        closed: Whether the block was closed; an answer that was cut off leaves it open.
    """

    code: str
    start: int
    end: int
    fenced: bool
    closed: bool = True


@dataclass(slots=True)
class _Block:
    tag: str
    start: int
    end: int
    indent: int
    closed: bool = False


def extract(response: str, language: str = "python", entry: str = "") -> Extraction | None:
    """Find the one program in an answer.

    What comes before the last `</think>` is not read. Of the fenced blocks, those with the language's tag count, or
    those without a tag if there are none. The last of them that defines `entry` is taken, else the last. Without any
    fenced block, or with a program around them, the whole text is the program.

    Returns:
        None if there are fenced blocks, but none in this language; or no text at all.

    >>> found = extract("Here you are:\\n```python\\ndef f(): return 1\\n```\\nIt is fast.")
    >>> found.code, found.start, found.end
    ('def f(): return 1\\n', 24, 42)
    """
    begin = response.rfind(_THOUGHT)
    begin = 0 if begin < 0 else begin + len(_THOUGHT)
    blocks = _blocks(response, begin)
    if blocks and entry and language == "python":
        inside = any(defines(response[block.start : block.end], entry) for block in blocks)
        if not inside and defines(response[begin:], entry):
            blocks = []  # a bare program, with fences in its docstring
    if not blocks:
        if not response[begin:].strip() or (begin == 0 and response.lstrip().startswith("<think>")):
            return None
        while begin < len(response) and response[begin] in "\r\n":
            begin += 1
        return Extraction(response[begin:], begin, len(response), fenced=False)
    tags = _TAGS.get(language, (language,))
    chosen = [block for block in blocks if block.tag in tags] or [block for block in blocks if not block.tag]
    chosen = [block for block in chosen if response[block.start : block.end].strip()]
    if not chosen:
        return None
    defining = [block for block in chosen if entry and defines(response[block.start : block.end], entry)]
    block = (defining or chosen)[-1]
    return Extraction(
        _dedent(response[block.start : block.end], block.indent),
        block.start,
        block.end,
        fenced=True,
        closed=block.closed,
    )


def defines(code: str, entry: str) -> bool:
    """Whether Python code seems to define a name at its top level, by the look of its lines.

    >>> defines("class Solution:\\n    def f(self): ...", "Solution.f"), defines("x = f(1)", "f")
    (True, False)
    """
    name = re.escape(entry.partition(".")[0])
    plain = rf"(?:async[ \t]+)?def[ \t]+{name}\b|class[ \t]+{name}\b|{name}[ \t]*(?::[^=\n]*)?=(?!=)"
    return (
        re.search(
            rf"^[ \t]{{0,3}}(?:{plain}|(?:from[^\n]{{0,200}})?import\b[^\n]{{0,400}}\b{name}\b)", code, re.MULTILINE
        )
        is not None
    )


def _blocks(text: str, begin: int) -> list[_Block]:
    blocks: list[_Block] = []
    fence, at = "", begin
    while at < len(text):
        end = text.find("\n", at)
        after = len(text) if end < 0 else end + 1
        line = text[at : after if end < 0 else end]
        bare = line.lstrip(" \t") if len(line) < 400 else line[:400].lstrip(" \t")
        marks = _marks(bare)
        if not fence and marks and (marks[0] != "`" or "`" not in bare[len(marks) :]):
            fence = marks
            words = bare[len(marks) :].replace("{", " ").replace("}", " ").replace(".", " ").split()
            blocks.append(_Block(words[0].lower() if words else "", after, len(text), len(line) - len(bare)))
        elif fence and marks[:1] == fence[0] and len(marks) >= len(fence) and not bare[len(marks) :].strip():
            blocks[-1].end, blocks[-1].closed = at, True
            fence = ""
        at = after
    return blocks


def _marks(line: str) -> str:
    """The three or more backticks or tildes that a line starts with."""
    mark = line[:1]
    if mark not in ("`", "~") or not mark:
        return ""
    count = len(line) - len(line.lstrip(mark))
    return mark * count if count >= 3 else ""


def _dedent(code: str, indent: int) -> str:
    if not indent:
        return code
    lines = code.splitlines(keepends=True)
    return "".join(line[min(indent, len(line) - len(line.lstrip(" \t"))) :] for line in lines)
