"""The inside of a session: an interpreter that lives on between turns and does what the host asks, one turn at a time.

It reads requests from file descriptor 4 and answers on 3, as frames; after each turn it writes the turn's mark to
standard output and error, so that the host knows where that turn's output ends. All of it can be subverted by the cells
that run here, and nothing is judged by it: to judge, take the files out and run a job of their own.
"""

from __future__ import annotations

import ast
import os
import random
import signal
import sys
import traceback
from types import ModuleType

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

if TYPE_CHECKING or __name__ == "proofgym.sandboxes.cells":
    from proofgym.sandboxes import wire
else:
    wire = sys.modules["proofgym_nanny_wire"]

CONTROL = 4
PART = 1 << 19


class Late(BaseException):
    """Raised in a cell that has used up its time."""


def serve() -> int:
    """Answer requests until the host closes the session."""
    signal.signal(signal.SIGALRM, _late)
    random.seed(0)
    module = ModuleType("__main__")
    module.__dict__["__builtins__"] = __builtins__
    sys.modules["__main__"] = module
    sys.path.insert(0, os.getcwd())
    frames, number = wire.Frames(), 0
    while True:
        data = os.read(CONTROL, 1 << 16)
        if not data:
            return 0
        frames.feed(data)
        for _, index, body in list(frames):
            request = wire.decode(body, most_nodes=wire.MAX_INPUT_NODES)
            try:
                reply = _turn(request, module, number)
            except BaseException as error:
                reply = ("error", f"{type(error).__name__}: {error}", None)
            number += 1
            for stream in (sys.stdout, sys.stderr):
                try:
                    stream.flush()
                except BaseException:
                    continue
            for fd in (1, 2):
                _write(fd, request["mark"])
            _write(3, wire.frame(wire.VALUE, wire.encode(reply), index))


def _write(fd: int, data: bytes) -> None:
    while data:
        data = data[os.write(fd, data) :]


def _late(*_: object) -> None:
    raise Late


def _turn(request: dict[str, Any], module: ModuleType, number: int) -> tuple[str, str, Any]:
    what = request["do"]
    if what == "cell":
        return _cell(request["source"], request["wall"], module, number)
    if what == "command":
        return _command(request)
    if what == "write":
        folder = os.path.dirname(request["path"])
        if folder:
            os.makedirs(folder, exist_ok=True)
        with open(request["path"], "ab" if request["more"] else "wb") as file:
            file.write(request["data"])
        if request["executable"]:
            os.chmod(request["path"], 0o700)
        return "ok", "", None
    if what == "read":
        with open(request["path"], "rb") as file:
            file.seek(request["at"])
            return "ok", "", file.read(PART)
    if what == "delete":
        os.unlink(request["path"])
        return "ok", "", None
    return "ok", "", _list()


def _cell(source: str, wall: float, module: ModuleType, number: int) -> tuple[str, str, Any]:
    """Run one cell in the lasting namespace and, like a notebook, show the value of a last bare expression."""
    name = f"<cell {number}>"
    linecache = sys.modules.get("linecache")
    if linecache is not None:
        linecache.cache[name] = (len(source), None, source.splitlines(True), name)
    signal.setitimer(signal.ITIMER_REAL, wall)
    try:
        tree = ast.parse(source, name)
        last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
        exec(compile(tree, name, "exec", dont_inherit=True), module.__dict__)
        if isinstance(last, ast.Expr):
            value = eval(compile(ast.Expression(last.value), name, "eval", dont_inherit=True), module.__dict__)
            if value is not None:
                print(repr(value))
    except Late:
        return "timeout", f"the cell ran for more than {wall:g} s and was interrupted", None
    except BaseException as error:
        signal.setitimer(signal.ITIMER_REAL, 0)
        place = error.__traceback__
        while place is not None and place.tb_frame.f_code.co_filename != name:
            place = place.tb_next
        traceback.print_exception(type(error), error, place, limit=-20)
        return "error", f"{type(error).__name__}: {error}"[:2000].encode("utf-8", "replace").decode(), None
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
    return "ok", "", None


def _command(request: dict[str, Any]) -> tuple[str, str, Any]:
    import subprocess

    try:
        process = subprocess.Popen(request["argv"], stdin=subprocess.PIPE, start_new_session=True)
    except OSError as error:
        return "error", f"{request['argv'][0]}: {error.strerror}", 127
    try:
        process.communicate(request["stdin"], timeout=request["wall"])
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        return "timeout", f"the command ran for more than {request['wall']:g} s and was killed", None
    code = process.returncode
    return ("ok" if code == 0 else "crash" if code < 0 else "error"), "", code


def _list() -> list[tuple[str, int, bool]]:
    """(path, size, executable) of the regular files in the working directory; caches of the interpreter left out."""
    found = []
    for folder, folders, names in os.walk("."):
        folders[:] = sorted(name for name in folders if name != "__pycache__")
        for name in sorted(names):
            path = os.path.join(folder, name)[2:]
            try:
                info = os.lstat(path)
                path.encode()
            except (OSError, UnicodeEncodeError):
                continue
            if info.st_mode & 0o170000 == 0o100000:
                found.append((path, info.st_size, bool(info.st_mode & 0o100)))
    return found
