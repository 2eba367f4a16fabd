"""What every backend promises, as a list of claims that can be run against any.

>>> from proofgym.sandboxes import conformance
>>> report = conformance.check(my_backend)  # doctest: +SKIP
>>> print(report)  # doctest: +SKIP

A claim is a function that takes a pool of the backend and raises AssertionError, with what it saw, when the promise is
not kept. After each, an honest job must still be answered rightly. The claims are written for workers that isolate
(`reduced` and better); a backend that isolates nothing is told so in as many words.
"""

from __future__ import annotations

import os
import secrets
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from proofgym.errors import ProofgymError
from proofgym.sandboxes.attacks import ESCAPES, RESOURCES, TRAPS
from proofgym.sandboxes.errors import JobRefused, MissingProgram
from proofgym.sandboxes.pool import Pool
from proofgym.sandboxes.types import Call, Isolation, Job, Limits, Outcome

if TYPE_CHECKING:
    from collections.abc import Iterable

    from proofgym.sandboxes.types import Backend, Result

__all__ = ["CLAIMS", "Finding", "Report", "check", "run"]

Claim = Callable[[Pool], None]
SMALL = Limits(wall_s=1.0, cpu_s=1.0, memory_mb=128, processes=32, output_kb=256, scratch_mb=16, inodes=256, files=64)


@dataclass(frozen=True, slots=True)
class Finding:
    """One claim, and what was seen where it was broken."""

    claim: str
    kept: bool
    seen: str = ""
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Report:
    """All findings on one backend."""

    backend: str
    isolation: str
    findings: tuple[Finding, ...]

    @property
    def ok(self) -> bool:
        """Whether every claim was kept."""
        return all(finding.kept for finding in self.findings)

    def __str__(self) -> str:
        broken = [f"  broken: {finding.claim}: {finding.seen}" for finding in self.findings if not finding.kept]
        kept = len(self.findings) - len(broken)
        return "\n".join([f"{self.backend} ({self.isolation}): {kept} of {len(self.findings)} claims kept", *broken])


def check(backend: Backend, *, only: Iterable[str] | None = None, workers: int = 2) -> Report:
    """Run the claims, or `only` those, against a backend. Takes about a minute."""
    names = list(CLAIMS) if only is None else list(only)
    with Pool(backend, workers, min_isolation=Isolation.NONE, insecure=True) as pool:
        findings = tuple(run(name, pool) for name in names)
    return Report(backend.name, backend.isolation.label, findings)


def run(name: str, pool: Pool) -> Finding:
    """Run one claim, then an honest job."""
    begun = time.monotonic()
    try:
        CLAIMS[name](pool)
        _honest(pool)
    except (AssertionError, ProofgymError) as error:
        return Finding(name, False, f"{type(error).__name__}: {error}"[:2000], time.monotonic() - begun)
    return Finding(name, True, "", time.monotonic() - begun)


def _expect(condition: object, seen: object) -> None:
    if not condition:
        raise AssertionError(str(seen)[:1500])


def _outcome(result: Result, *outcomes: str) -> None:
    allowed = outcomes or ("ok",)
    _expect(result.outcome.value in allowed, f"outcome {result.outcome}, not {' or '.join(allowed)}: {result}")


def _honest(pool: Pool) -> None:
    result = pool.run(Job.calls("def f(x): return [x, x * 2]", "f", [(n,) for n in range(3)]))
    _outcome(result)
    _expect(result.values == [[0, 0], [1, 2], [2, 4]], f"after that, an honest job was answered {result.values}")


# What honest jobs are given ------------------------------------------------------------------------------------------


def _typed_values(pool: Pool) -> None:
    sent: list[object] = [
        None, True, False, 0, -1, 2**100, -(2**63), 1.5, float("inf"), -0.0, 3 + 4j, "", "é😀\0", b"\x00\xff",
        [], [1, [2, [3]]], (), (1, "a"), {"a": 1, 2: [3], (4,): None}, {1, 2}, frozenset("ab"),
        {"deep": {"er": [{"est": ()}]}},
    ]  # fmt: skip
    result = pool.run(Job.calls("def f(x): return x", "f", [(value,) for value in sent]))
    _outcome(result)
    for value, back in zip(sent, result.values, strict=True):
        same = type(back) is type(value) and (back == value or repr(back) == repr(value))
        _expect(same, f"sent {value!r}, got {back!r}")


def _arguments(pool: Pool) -> None:
    source = "class S:\n    def f(self, a, *, b=0):\n        a.append(b)\n        return len(a)"
    calls: list[tuple[list[int]] | Call] = [([1],), Call([], b=5)]
    _expect(pool.run(Job.calls(source, "S.f", calls)).values == [2, 1], "methods and keyword arguments")
    _expect(
        pool.run(Job.calls(source, "S.f", calls, observe="arguments")).values == [[[1, 0]], [[5]]],
        "arguments left behind",
    )


def _exceptions(pool: Pool) -> None:
    result = pool.run(Job.calls("def f(x):\n    print('seen', x)\n    return 1 // x", "f", [(1,), (0,), (2,)]))
    _outcome(result)
    states = [(answer.status, answer.error) for answer in result.answers]
    _expect(states == [("returned", ""), ("raised", "ZeroDivisionError"), ("returned", "")], states)
    _expect(result.stdout == b"seen 1\nseen 0\nseen 2\n" and b"ZeroDivisionError" in result.stderr, result)
    missing = pool.run(Job.calls("def g(): pass", "f", [()]))
    _expect(missing.outcome is Outcome.ERROR and missing.answers[0].status == "missing", missing)
    broken = pool.run(Job.calls("def f(:", "f", [()]))
    _expect(broken.outcome is Outcome.ERROR and b"SyntaxError" in broken.stderr, broken)


def _opaque_values(pool: Pool) -> None:
    result = pool.run(Job.calls("def f(): return [object(), 1]", "f", [()]))
    _expect(result.ok and repr(result.values) == "[[Opaque('object'), 1]]", result.values)
    _expect(
        result.values[0][0] != result.values[0][1] and result.values[0] != [object(), 1],
        "an opaque value equals nothing",
    )


def _stdio(pool: Pool) -> None:
    source = (
        "import sys\ntext = sys.stdin.read()\nprint(len(text), text[-3:])\nprint('err', file=sys.stderr)\nsys.exit(3)"
    )
    for size in (0, 5, 70_000, 2_000_000):
        result = pool.run(Job.script(source, "x" * size + "end"))
        _outcome(result, "error")
        _expect(result.stdout == f"{size + 3} end\n".encode() and result.stderr == b"err\n", result.stdout[-100:])
        _expect(result.exit_code == 3, result.exit_code)
    lines = pool.run(Job.script("print(input(), input())\ntry: input()\nexcept EOFError: print('end')", "a\nb\n"))
    _expect(lines.stdout == b"a b\nend\n", lines)
    main = pool.run(Job.script("import sys\nif __name__ == '__main__': print(sys.argv[1:])", argv=["a", "b"]))
    _expect(main.ok and main.stdout == b"['a', 'b']\n", main)
    last = pool.run(
        Job.script("import atexit, threading\natexit.register(print, 'bye')\nthreading.Timer(.05, print, 'x').start()")
    )
    _expect(last.stdout == b"x\nbye\n", last)


def _files(pool: Pool) -> None:
    files: dict[str, str | bytes] = {"a.txt": "α", "d/e/b.bin": bytes(range(256))}
    result = pool.run(
        Job.script("print(open('a.txt').read())\nprint(len(open('d/e/b.bin', 'rb').read()))", files=files)
    )
    _expect(result.stdout == "α\n256\n".encode(), result)


def _commands(pool: Pool) -> None:
    result = pool.run(Job.command(["sh", "-c", "cat; echo err >&2; exit 5"], "in"))
    _outcome(result, "error")
    _expect((result.stdout, result.stderr, result.exit_code) == (b"in", b"err\n", 5), result)
    own = pool.run(Job.command(["./run.sh", "a b"], files={"run.sh": '#!/bin/sh\necho "$1"'}, env={"X": "1"}))
    _expect(own.ok and own.stdout == b"a b\n", own)
    ended = pool.run(Job.command(["sh", "-c", "kill -TERM $$; sleep 5"]))
    _expect(ended.outcome is Outcome.CRASH and ended.signal == 15, ended)


def _refusals(pool: Pool) -> None:
    for argv in (["no-such-program"], ["/no/such/program"], ["./no-such-file"]):
        try:
            pool.run(Job.command(argv))
        except MissingProgram:
            continue
        raise AssertionError(f"{argv} was not refused")
    try:
        pool.run(Job.script("x" * (40 << 20)))
    except JobRefused:
        return
    raise AssertionError("a job of 40 MiB was not refused")


def _artifacts(pool: Pool) -> None:
    source = """
import os, socket
open("good.txt", "w").write("good")
os.makedirs("d/e")
open("d/e/deep.txt", "w").write("deep")
os.symlink("/etc/passwd", "link.txt")
os.symlink("d", "folder-link")
os.symlink("good.txt", "inner-link.txt")
os.mkfifo("pipe.txt")
os.mkdir("folder.txt")
end = socket.socketpair() and None
open("big.txt", "wb").write(bytes(9 << 20))
open(b"bad-\\xff.txt", "w").write("name")
os.chmod("good.txt", 0)
"""
    names = ["*.txt", "d/**", "folder-link/e/deep.txt", "link.txt", "pipe.txt", "absent.txt"]
    result = pool.run(Job.script(source, artifacts=names))
    _outcome(result)
    found = {one.path: (len(one.data), one.truncated) for one in result.artifacts}
    expected = {"d/e/deep.txt": (4, False), "big.txt": (9 << 20, False)}
    _expect({path: size for path, size in found.items() if path != "good.txt"} == expected, found)
    seen = {one.data for one in result.artifacts if one.path in ("good.txt", "d/e/deep.txt")}
    _expect(seen <= {b"good", b"deep"} and b"deep" in seen, seen)
    after = pool.run(
        Job.script("import os, sys, time\nif os.fork() == 0: time.sleep(9)\nopen('a', 'w').write('x')", artifacts=["a"])
    )
    _expect([one.data for one in after.artifacts] == [b"x"], after)


# What hostile jobs meet ----------------------------------------------------------------------------------------------


def _escape(name: str) -> Claim:
    def claim(pool: Pool) -> None:
        _expect_contained(name, attack_result(name, pool))

    return claim


def attack_result(name: str, pool: Pool) -> Result:
    """Run one escape against a pool, with a host that has something to lose: a file, a port, a process, a secret."""
    canary = secrets.token_hex(16)
    with tempfile.TemporaryDirectory() as folder, socket.socket() as server, socket.socket(socket.AF_UNIX) as abstract:
        Path(folder).chmod(0o777)
        secret = Path(folder, "secret")
        secret.write_text(canary)
        secret.chmod(0o666)
        server.bind(("127.0.0.1", 0))
        server.listen()
        abstract.bind(f"\0proofgym-{canary}")
        abstract.listen()
        bystander = subprocess.Popen(
            [sys.executable, "-c", "import time; time.sleep(600)"], env={"CANARY": canary}, stdin=subprocess.DEVNULL
        )  # fmt: skip
        try:
            host = {
                "canary": canary, "pid": os.getpid(), "secret": str(secret), "planted": str(Path(folder, "planted")),
                "port": server.getsockname()[1], "abstract": f"proofgym-{canary}", "bystander": bystander.pid,
                "python": "python",
            }  # fmt: skip
            result = pool.run(Job.calls(ESCAPES[name], "attack", [(host,)]))
            _expect(
                not Path(folder, "planted").exists() or pool.backend.isolation is Isolation.NONE, "a file was planted"
            )
            _expect(bystander.poll() is None or pool.backend.isolation is Isolation.NONE, "a bystander was killed")
        finally:
            bystander.kill()
            bystander.wait()
    return result


def _expect_contained(name: str, result: Result) -> None:
    (answer,) = result.answers
    if answer.status == "missing":
        _expect(result.outcome is Outcome.CRASH, f"the attack did not run: {result}")
    elif answer.status == "raised":
        refusals = {
            "OSError", "PermissionError", "FileNotFoundError", "ProcessLookupError", "ConnectionRefusedError",
            "BlockingIOError", "TimeoutError", "NotADirectoryError",
        }  # fmt: skip
        broken = answer.error not in refusals and not (name == "raising limits" and answer.error == "ValueError")
        _expect(not broken, f"the attack itself is broken: {answer.error}: {answer.message}")
    else:
        _expect(answer.value is None, f"it got {answer.value!r}")


def _resource(name: str) -> Claim:
    source, outcomes = RESOURCES[name]
    # What is to be stopped by another limit than the clock gets more of it, so that a busy machine does not matter.
    limits = SMALL if "timeout" in outcomes else replace(SMALL, wall_s=8.0, cpu_s=8.0)

    def claim(pool: Pool) -> None:
        begun = time.monotonic()
        result = pool.run(Job.script(source, limits=limits))
        took = time.monotonic() - begun
        _outcome(result, *outcomes)
        _expect(took < 20, f"it took {took:.1f} s to end a job of {limits.wall_s:g} s")
        _expect(
            len(result.stdout) + len(result.stderr) <= 2 * SMALL.output_kb << 10, "more output than the limit came back"
        )

    return claim


def _trap(name: str) -> Claim:
    def claim(pool: Pool) -> None:
        result = pool.run(Job.calls(TRAPS[name], "f", [(1,), (2,), (3,)]))
        for value, right in zip(result.values, (41, 42, 43), strict=True):
            _expect(not (value == right or right == value), f"a wrong program was taken for right: {value!r}")
        if name in ("bytes on the channel", "frames for calls that were not made"):
            _outcome(result, "tampered")
        if name in ("exit with status 0", "exit in a call", "an end without answers", "half a frame"):
            _outcome(result, "error", "tampered")

    return claim


def _survivors(pool: Pool) -> None:
    """A daemon that holds the pipes open neither delays the result nor outlives it."""
    source = """
import os, sys, time
for _ in range(10):
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            time.sleep(60)
        os._exit(0)
print("parent done")
"""
    before = _settled(pool)
    begun = time.monotonic()
    result = pool.run(Job.script(source, limits=Limits(wall_s=8)))
    _outcome(result)
    _expect(result.stdout.startswith(b"parent done"), result)
    _expect(time.monotonic() - begun < 5, "it waited for the daemons")
    after = _settled(pool)
    _expect(after <= before, f"{after - before} processes are left over")


def _settled(pool: Pool) -> int:
    """How many processes the pool has at rest. Its workers start when they please, so one look would say little."""
    counts: list[int] = []
    deadline = time.monotonic() + 10.0
    while (len(counts) < 4 or counts[-1] == 0 or len(set(counts[-4:])) > 1) and time.monotonic() < deadline:
        counts.append(len(pool.pids()))
        time.sleep(0.1)
    return counts[-1]


def _no_state(pool: Pool) -> None:
    spoil = """
import builtins, os, sys, math, random
builtins.len = lambda x: 42
math.pi = 3
os.environ["LEFT"] = "over"
open("left", "w").write("over")
for place in ("/tmp/left", "/dev/shm/left", "/var/tmp/left", os.path.expanduser("~/left")):
    try: open(place, "w").write("over")
    except OSError: pass
sys.modules["json"] = None
os.umask(0o777)
os.nice(5)
"""
    look = """
import builtins, os, math, json
def f(usual):
    found = [p for p in ("left", "/tmp/left", "/dev/shm/left", "/var/tmp/left") if os.path.exists(p)]
    if len([1]) != 1: found.append("builtins")
    if math.pi == 3: found.append("math")
    if "LEFT" in os.environ: found.append("environ")
    if os.listdir("."): found += os.listdir(".")
    if os.nice(0) != usual: found.append("nice")
    return found
"""
    usual = pool.run(Job.calls("import os\ndef f(): return os.nice(0)", "f", [()])).values[0]  # a scheduler may be nice
    for _ in range(2 * pool.workers):
        _outcome(pool.run(Job.script(spoil)))
    for _ in range(2 * pool.workers):
        result = pool.run(Job.calls(look, "f", [(usual,)]))
        _expect(result.ok and result.values == [[]], f"a job left behind: {result.values} {result.detail}")


def _nasty_litter(pool: Pool) -> None:
    """Trees made to resist removal do not reach the next job."""
    litter = """
import os
os.makedirs("a/b/c")
os.chmod("a/b", 0o500)
os.chmod("a", 0)
here = "."
for n in range(100):
    try:
        os.mkdir("n" * 200)
        os.chdir("n" * 200)
    except OSError:
        break
open("deep", "w").close()
"""
    for _ in range(pool.workers):
        _outcome(pool.run(Job.script(litter)), "ok", "error")
    for _ in range(2 * pool.workers):
        result = pool.run(Job.script("import os\nprint(os.listdir('.'))"))
        _expect(result.stdout == b"[]\n", result)


def _same_every_time(pool: Pool) -> None:
    source = "def f(): return [list({'a', 'b', 'c', 'd', 'e'}), hash('x')]"
    seen = {repr(pool.run(Job.calls(source, "f", [()])).values) for _ in range(3 * pool.workers)}
    _expect(len(seen) == 1, f"hash seeds differ between jobs: {seen}")
    dice = {
        repr(pool.run(Job.calls("import random\ndef f(): return random.random()", "f", [()])).values) for _ in range(4)
    }
    _expect(len(dice) == 4, "every job draws the same random numbers")


def _labels(pool: Pool) -> None:
    result = pool.run(Job.script("print(1)"))
    _expect(result.isolation is pool.backend.isolation, result.isolation)
    _expect(all(isinstance(gap, str) for gap in result.gaps), result.gaps)
    times = result.metrics
    _expect(
        0 < times.setup_s < 5 and 0 < times.run_s < 5 and 0 <= times.teardown_s < 5 and 0 <= times.queue_s < 5, times
    )
    _expect(result.cpu_s > 0 and result.max_rss_kb > 0, result)


CLAIMS: dict[str, Claim] = {
    "typed values come back": _typed_values,
    "methods, keywords and changed arguments": _arguments,
    "exceptions are answers": _exceptions,
    "what does not travel equals nothing": _opaque_values,
    "standard streams and exit status": _stdio,
    "files come along": _files,
    "commands": _commands,
    "bad requests are refused": _refusals,
    "artifacts: regular files only, after death": _artifacts,
    "daemons neither delay nor survive": _survivors,
    "nothing is left for the next job": _no_state,
    "litter that resists removal": _nasty_litter,
    "equal hash seeds, unequal dice": _same_every_time,
    "results say how they were contained": _labels,
    **{f"escape: {name}": _escape(name) for name in ESCAPES},
    **{f"resource: {name}": _resource(name) for name in RESOURCES},
    **{f"forgery: {name}": _trap(name) for name in TRAPS},
}
"""Every claim by name."""
