"""The tools of a repository task: one command a turn, on a tree of files that is a plain dictionary.

    $ list [FOLDER]              all files, with their numbers of lines
    $ read PATH [FIRST-LAST]     a file, lines numbered
    $ search TEXT                every line that contains the text, in any file
    $ edit PATH                  followed by search-and-replace blocks
    $ write PATH                 followed by a fenced block with the whole new content
    $ delete PATH
    $ test                       run the tests in tests/
    $ python                     followed by a fenced block: run it beside the files
    $ submit                     hand in the repository as it stands

The first line that starts with `$ ` is the command; what follows belongs to it. Nothing is run outside a sandbox, and
what runs there leaves the tree as it was.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from proofgym.envs.code import patches
from proofgym.errors import BadInput
from proofgym.sandboxes import Job, Limits, Pool
from proofgym.sandboxes.types import checked_path

__all__ = ["COMMANDS", "Command", "Tree", "command_of", "run_python", "run_tests"]

COMMANDS = ("list", "read", "search", "edit", "write", "delete", "test", "python", "submit")
_MOST_FILES, _MOST_CHARACTERS = 100, 300_000
_SHOWN_LINES, _SHOWN_HITS, _SHOWN_OUTPUT = 200, 40, 4000
_LIMITS = Limits(wall_s=5.0, cpu_s=5.0, memory_mb=256, processes=8, output_kb=64)
_FENCE = re.compile(r"^(`{3,}|~{3,})[^\n]*\n", re.MULTILINE)
_CHANGING = ((re.compile(r"Ran (\d+) tests? in [0-9.]+s"), r"Ran \1 tests"), (re.compile(r"0x[0-9a-f]{6,}"), "0x..."))
_TESTS = """
import sys, unittest
sys.path.insert(0, ".")
suite = unittest.defaultTestLoader.discover("tests", top_level_dir=".")
result = unittest.TextTestRunner(stream=sys.stdout, verbosity=1).run(suite)
"""


@dataclass(frozen=True, slots=True)
class Command:
    """One command: its name, the rest of its line, what follows the line, and where all of it stands in the answer."""

    name: str
    rest: str
    body: str
    start: int
    end: int


def command_of(answer: str) -> Command | None:
    """The first command of an answer; None if there is none.

    >>> command_of("I look first.\\n$ read a.py 1-20")
    Command(name='read', rest='a.py 1-20', body='', start=14, end=30)
    """
    found = re.search(r"^\$ (\w+)[ \t]*([^\n]*)", answer, re.MULTILINE)
    if found is None:
        return None
    body = answer[found.end() :].removeprefix("\n")
    return Command(found[1], found[2].strip(), body, found.start(), len(answer))


class Tree:
    """The files of a repository, and what the tools do to them.

    Args:
        files: Path to text.
    """

    def __init__(self, files: dict[str, str]) -> None:
        self.files = dict(files)

    def list(self, folder: str) -> str:
        """All files at or below a folder."""
        at = folder.strip("/").removeprefix("./")
        found = [path for path in sorted(self.files) if not at or path == at or path.startswith(at + "/")]
        if not found:
            return f"No file at {folder!r}."
        return "\n".join(f"{path} ({self.files[path].count(chr(10))} lines)" for path in found)

    def read(self, rest: str) -> str:
        """A file, or some lines of it, with their numbers."""
        path, _, span = rest.partition(" ")
        lines = self._get(path).split("\n")
        first, last = 1, len(lines)
        if span.strip():
            found = re.fullmatch(r"(\d{1,6})(?:-(\d{1,6}))?", span.strip())
            if found is None:
                raise BadInput(f"lines are written FIRST-LAST, found {span.strip()[:40]!r}")
            first, last = int(found[1]), int(found[2] or found[1])
        last = min(last, len(lines), first + _SHOWN_LINES - 1)
        shown = "\n".join(f"{number:4d}  {lines[number - 1]}" for number in range(max(1, first), last + 1))
        return shown or f"{path} has {len(lines)} lines."

    def search(self, text: str) -> str:
        """Every line with the text in it."""
        if not text:
            raise BadInput("search for what? write `$ search TEXT`")
        hits = [
            f"{path}:{number}: {line.strip()[:160]}"
            for path in sorted(self.files)
            for number, line in enumerate(self.files[path].split("\n"), start=1)
            if text in line
        ]
        more = [f"({len(hits) - _SHOWN_HITS} more)"] if len(hits) > _SHOWN_HITS else []
        return "\n".join([*hits[:_SHOWN_HITS], *more]) or f"Nothing contains {text[:80]!r}."

    def edit(self, path: str, body: str) -> str:
        """Apply search-and-replace blocks to a file."""
        blocks = patches.edits(body)
        if not blocks:
            raise BadInput(f"no block follows; write\n{patches.HOW}")
        try:
            self._put(path, patches.apply(self._get(path), blocks))
        except ValueError as error:
            raise BadInput(str(error)) from None
        return f"Edited {path}: {len(blocks)} block{'s' if len(blocks) > 1 else ''}."

    def write(self, path: str, body: str) -> str:
        """Replace a file, or make one."""
        self._put(path, fenced(body))
        return f"Wrote {path}."

    def delete(self, path: str) -> str:
        """Remove a file."""
        self._get(path)
        del self.files[_path(path)]
        return f"Deleted {path}."

    def _get(self, path: str) -> str:
        if _path(path) not in self.files:
            raise BadInput(f"there is no file {path[:80]!r}; `$ list` shows them all")
        return self.files[_path(path)]

    def _put(self, path: str, text: str) -> None:
        try:
            text.encode()
        except UnicodeEncodeError as error:
            raise BadInput(f"text that no file can hold: {error.reason}") from None
        files = {**self.files, _path(path): text}
        clash = next((other for other in files if other.startswith(_path(path) + "/")), None)
        above = next((other for other in files if _path(path).startswith(other + "/")), None)
        if clash or above:
            raise BadInput(f"{path!r} cannot be a file: {clash or above!r} is in the way")
        if len(files) > _MOST_FILES or sum(map(len, files.values())) > _MOST_CHARACTERS:
            raise BadInput(
                f"the repository would be too large; at most {_MOST_FILES} files, {_MOST_CHARACTERS} characters"
            )
        self.files = files


def fenced(body: str) -> str:
    """The content of the first fenced block; it ends with the last fence of its kind, so it may have others inside."""
    opening = _FENCE.search(body)
    if opening is None:
        raise BadInput("no fenced block follows; put the content between two lines of ```")
    closing = body.rfind("\n" + opening[1])
    if closing < opening.end() - 1:
        raise BadInput(f"the block is not closed with {opening[1]}")
    return body[opening.end() : closing + 1]


def run_tests(pool: Pool, files: dict[str, str]) -> str:
    """What unittest prints about the tests of a tree, without the time it took."""
    return _run(pool, _TESTS, files)


def run_python(pool: Pool, source: str, files: dict[str, str]) -> str:
    """What a program prints that runs beside the files of a tree."""
    return _run(pool, source, files)


def _run(pool: Pool, source: str, files: dict[str, str]) -> str:
    result = pool.run(Job.script(source, files=files, limits=_LIMITS))
    text = result.stdout.decode("utf-8", "replace")
    errors = result.stderr.decode("utf-8", "replace")
    if not result.ok:
        text = f"{text.rstrip()}\n{errors.strip()}\n({result.outcome})"
    for pattern, instead in _CHANGING:
        text = pattern.sub(instead, text)
    text = text.strip() or "(no output)"
    return text if len(text) <= _SHOWN_OUTPUT else f"{text[: _SHOWN_OUTPUT // 2]}\n...\n{text[-_SHOWN_OUTPUT // 2 :]}"


def _path(path: str) -> str:
    if len(path) > 200:
        raise BadInput("a path has at most 200 characters")
    try:
        path.encode()
        return checked_path(path)
    except ValueError as error:
        raise BadInput(str(error)[:200]) from None
