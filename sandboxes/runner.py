"""What the confined child does: read the job's body, run it, send answers. Everything here is already untrusted ground.

Answers go to file descriptor 3 in frames. Whatever the job writes there itself is its own answer, for better or worse:
the host fixes which calls there are, takes the first answer to each, and compares outside.
"""

from __future__ import annotations

import gc
import marshal
import os
import signal
import sys
from types import ModuleType

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

if TYPE_CHECKING or __name__ == "proofgym.sandboxes.runner":
    from proofgym.sandboxes import cells, wire
else:
    wire, cells = sys.modules["proofgym_nanny_wire"], sys.modules["proofgym_nanny_cells"]

TOP = 0xFFFF
CHANNEL = 3
_DEFAULTS = (signal.SIGPIPE, signal.SIGXFSZ, signal.SIGINT)
"""Signals that Python ignores or catches, and that a program expects to find as they were."""


def run(kind: str, body: bytes, meta: dict[str, Any], env: dict[str, str]) -> int:
    """Run one job and return the status to leave with."""
    job = marshal.loads(body)  # noqa: S302 - written by the host
    _write_files(job["files"], job["argv"][0] if kind == "command" else "")
    if kind == "command":
        return _command(job, meta, {**env, **job["env"]})
    gc.enable()
    code = 1
    try:
        if kind == "calls":
            code = _calls(job)
        elif kind == "script":
            code = _script(job)
        elif kind == "session":
            code = cells.serve()
        else:
            code = _pytest(job)
    finally:
        _flush()
    return code


def _send(kind: int, body: bytes = b"", index: int = 0, _write: Callable[[int, bytes], int] = os.write) -> None:
    data = wire.frame(kind, body, index)
    while data:
        data = data[_write(CHANNEL, data) :]


def _calls(job: dict[str, Any]) -> int:
    send, encode, value, raised = _send, wire.encode_answer, wire.VALUE, wire.RAISED
    source = job["source"]
    module = ModuleType("solution")
    module.__file__ = "solution.py"
    sys.modules["solution"] = module
    sys.argv = ["solution.py"]
    if not _execute(source, "solution.py", module.__dict__):
        return 1
    try:
        target: Any = module
        for part in job["entry"].split("."):
            target = getattr(target() if isinstance(target, type) else target, part)
    except BaseException as error:
        send(raised, encode(_describe(error)), TOP)
        _report(error)
        return 1
    want_arguments = job["arguments"]
    for index, (args, kwargs) in enumerate(job["args"]):
        try:
            answer = target(*args, **kwargs)
            data = encode(list(args) if want_arguments else answer)
        except BaseException as error:
            send(raised, encode(_describe(error)), index)
            _report(error)
        else:
            send(value, data, index)
    send(wire.END)
    return 0


def _script(job: dict[str, Any]) -> int:
    module = ModuleType("__main__")
    module.__file__ = "main.py"
    module.__dict__["__builtins__"] = __builtins__
    sys.modules["__main__"] = module
    sys.argv = ["main.py", *job["argv"]]
    sys.path.insert(0, os.getcwd())
    code = _guard(lambda: _compile_and_run(job["source"], "main.py", module.__dict__))
    threading = sys.modules.get("threading")
    if threading is not None:
        _guard(threading._shutdown)
    atexit = sys.modules.get("atexit")
    if atexit is not None:
        _guard(atexit._run_exitfuncs)
    _guard(module.__dict__.clear)  # so that files left open are flushed, as they are when an interpreter ends
    return code


def _execute(source: str, name: str, namespace: dict[str, Any]) -> bool:
    sys.path.insert(0, os.getcwd())
    return _guard(lambda: _compile_and_run(source, name, namespace), exits=False) == 0


def _compile_and_run(source: str, name: str, namespace: dict[str, Any]) -> None:
    linecache = sys.modules.get("linecache")
    if linecache is not None:
        linecache.cache[name] = (len(source), None, source.splitlines(True), name)
    exec(compile(source, name, "exec", dont_inherit=True), namespace)


def _guard(action: Callable[[], Any], *, exits: bool = True) -> int:
    """Do it; say on standard error and in a frame what went wrong; return an exit status as the interpreter would."""
    try:
        action()
    except SystemExit as error:
        if exits and (error.code is None or isinstance(error.code, int)):
            return (error.code or 0) & 255
        _send(wire.RAISED, wire.encode_answer(_describe(error)), TOP)
        if error.code is not None:
            print(error.code, file=sys.stderr)
        return 1
    except BaseException as error:
        _send(wire.RAISED, wire.encode_answer(_describe(error)), TOP)
        _report(error)
        return 1
    return 0


def _describe(error: BaseException) -> tuple[str, str]:
    try:
        text = str(error)
    except BaseException:
        text = "(its message cannot be shown)"
    return type(error).__name__, text[:2000].encode("utf-8", "replace").decode()


def _report(error: BaseException) -> None:
    """Print the traceback as the interpreter would, without our own frames."""
    try:
        import traceback

        place = error.__traceback__
        while place is not None and place.tb_frame.f_code.co_filename == __file__:
            place = place.tb_next
        traceback.print_exception(type(error), error, place, limit=-20)
    except BaseException:
        return


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except BaseException:
            continue


def _write_files(files: dict[str, bytes], program: str) -> None:
    program = program[2:] if program[:2] == "./" else program
    for name, data in files.items():
        folder = os.path.dirname(name)
        if folder:
            os.makedirs(folder, exist_ok=True)
        mode = 0o700 if name == program or name.startswith("bin/") else 0o600
        fd = os.open(name, os.O_CREAT | os.O_WRONLY | os.O_TRUNC | os.O_CLOEXEC, mode)
        try:
            while data:
                data = data[os.write(fd, data) :]
        finally:
            os.close(fd)


def find_program(name: str, path: str) -> str | None:
    """Where the program is, as a shell would find it."""
    if "/" in name:
        return name if os.access(name, os.X_OK) else None
    for folder in path.split(":"):
        full = f"{folder}/{name}"
        if os.access(full, os.X_OK) and os.path.isfile(full):
            return full
    return None


def _command(job: dict[str, Any], meta: dict[str, Any], env: dict[str, str]) -> int:
    """Execute a program: in our place, or, as process 1, as a child whose end we pass on."""
    argv = job["argv"]
    program = argv[0] if "/" in argv[0] else find_program(argv[0], env.get("PATH", "")) or "./" + argv[0]
    os.set_inheritable(CHANNEL, False)
    try:
        if not (meta["init"] and os.getpid() == 1):
            for number in _DEFAULTS:
                signal.signal(number, signal.SIG_DFL)
            os.execve(program, argv, env)
        main = os.posix_spawn(program, argv, env, setsigdef=_DEFAULTS)
    except OSError as error:
        os.write(2, f"{argv[0]}: {error.strerror}\n".encode())
        return 126
    while True:
        pid, status = os.wait()
        if pid == main:
            if os.WIFSIGNALED(status):
                _send(wire.END, index=os.WTERMSIG(status))
                return 128 + os.WTERMSIG(status)
            return os.WEXITSTATUS(status)


def _pytest(job: dict[str, Any]) -> int:
    """Run one test with pytest in this process. The judged code can forge what we send; the result says so."""
    import pytest

    (wanted,) = job["tests"]
    states: dict[str, str] = {}

    class Reporter:
        def pytest_runtest_logreport(self, report: Any) -> None:
            if report.failed:
                states[report.nodeid] = "failed" if report.when == "call" else "error"
            elif report.skipped:
                states[report.nodeid] = "skipped"
            elif report.when == "call":
                states.setdefault(report.nodeid, "passed")

    plugins: list[Any] = [Reporter()]
    options = [wanted, "-q", "-p", "no:cacheprovider", "--rootdir=.", "--tb=short", "--color=no"]
    if "pytest_timeout" in sys.modules:
        seconds = max(0.9 * job["timeout"], job["timeout"] - 0.25)
        options += [f"--timeout={seconds}", "--timeout-method=thread"]
        plugins.append(sys.modules["pytest_timeout"])
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    os.environ.pop("PYTEST_CURRENT_TEST", None)
    sys.path.insert(0, os.getcwd())
    sys.argv = ["pytest"]
    status = int(pytest.main(options, plugins=plugins))
    found = sorted(set(states.values()))
    outcome = found[0] if len(found) == 1 else "failed" if found else "missing"
    _send(wire.TEST, wire.encode_answer((wanted, outcome)))
    _send(wire.END)
    return status if outcome == "passed" else status or 1
