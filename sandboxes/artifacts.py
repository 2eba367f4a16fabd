"""Read the files a job left behind, after its death: beneath a kept descriptor, regular files only, no links, capped.

The tree is hostile: links out of it, FIFOs and sockets that would block, names that are not UTF-8, thousands of
entries. Nobody can swap files while they are read: the job is dead before the first one is opened. Runs in the worker,
which imports no pathlib.
"""

from __future__ import annotations

import os
import stat
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

if TYPE_CHECKING or __name__ == "proofgym.sandboxes.artifacts":
    from proofgym.sandboxes import _sys
else:
    _sys = sys.modules["proofgym_nanny__sys"]

MOST_FILES = 256
MOST_FILE_BYTES = 16 << 20
MOST_BYTES = 48 << 20
MOST_ENTRIES = 8192
MOST_DEPTH = 16


def collect(top: int, patterns: list[str]) -> Iterator[tuple[str, bytes, bool]]:
    """(path, content, truncated) of the files that match, by path. `*` stays within a folder, `**` crosses them."""
    left = MOST_BYTES
    plain = [name for name in patterns if not any(sign in name for sign in "*?[")]
    names = set(plain)
    if len(plain) < len(patterns):
        wanted = [name.split("/") for name in patterns]
        for name in _walk(top):
            if any(_match(name.split("/"), pattern) for pattern in wanted):
                names.add(name)
    for name in sorted(names)[:MOST_FILES]:
        data = read(top, name, min(left, MOST_FILE_BYTES))
        if data is not None:
            left -= len(data[0])
            yield name, *data


def read(top: int, name: str, most: int) -> tuple[bytes, bool] | None:
    """(content, truncated) of one regular file beneath `top`; None for anything else, links included."""
    try:
        fd = _sys.openat2_beneath(top, name, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_NOCTTY)
    except OSError:
        return None
    try:
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            return None
        parts, size = [], 0
        while size <= most:
            part = os.read(fd, min(1 << 20, most + 1 - size))
            if not part:
                break
            parts.append(part)
            size += len(part)
        data = b"".join(parts)
        return data[:most], len(data) > most
    except OSError:
        return None
    finally:
        os.close(fd)


def _walk(top: int) -> Iterator[str]:
    """Paths of regular files beneath `top` whose names are UTF-8, breadth first and bounded."""
    todo, seen = [""], 0
    for folder in todo:
        try:
            fd = _sys.openat2_beneath(top, folder or ".", os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        except OSError:
            continue
        try:
            with os.scandir(fd) as entries:
                for entry in entries:
                    seen += 1
                    if seen > MOST_ENTRIES:
                        return
                    try:
                        entry.name.encode()
                    except UnicodeEncodeError:
                        continue
                    name = f"{folder}/{entry.name}" if folder else entry.name
                    if entry.is_file(follow_symlinks=False):
                        yield name
                    elif entry.is_dir(follow_symlinks=False) and name.count("/") < MOST_DEPTH:
                        todo.append(name)
        except OSError:
            continue
        finally:
            os.close(fd)


def _match(path: list[str], pattern: list[str]) -> bool:
    """Whether the parts of a path match those of a pattern, in time that is linear in their product."""
    import fnmatch

    reach = {0}
    for part in pattern:
        if part == "**":
            reach = set(range(min(reach), len(path) + 1)) if reach else set()
        else:
            reach = {at + 1 for at in reach if at < len(path) and fnmatch.fnmatchcase(path[at], part)}
    return len(path) in reach
