"""The words of the sandbox: what to run (`Job`), within what (`Limits`), how it ended (`Result`).

A backend makes workers and a worker runs one job at a time; the pool does everything else (queue, retries, compiling,
sessions). Whoever writes a backend implements the two protocols at the end and runs `conformance.check` on it.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, Literal, Protocol

from proofgym.sandboxes import wire
from proofgym.sandboxes.errors import JobRefused

if TYPE_CHECKING:
    import threading
    from collections.abc import Iterable, Mapping, Sequence

__all__ = [
    "Answer",
    "Artifact",
    "Backend",
    "Call",
    "Isolation",
    "Job",
    "Limits",
    "Metrics",
    "Opaque",
    "Outcome",
    "Result",
    "Worker",
]

Opaque = wire.Opaque
Kind = Literal["calls", "script", "command", "compiled", "pytest", "session"]

MAX_JOB_BYTES = 32 << 20
MAX_CALLS = 10_000
MAX_FILES = 2_000


class Isolation(enum.IntEnum):
    """How well a worker is walled in; more is better, and `min_isolation` compares these.

    `NAMESPACED_CGROUP` and `NAMESPACED` are a new root, no network, processes of their own; the first also has the
    kernel count memory and processes. `CONTAINER` is a hardened Docker container. `REDUCED` is Landlock and a
    system-call filter in the host's own namespaces. `NONE` is resource limits only.
    """

    NONE = 0
    REDUCED = 1
    NAMESPACED = 2
    CONTAINER = 3
    NAMESPACED_CGROUP = 4

    @property
    def label(self) -> str:
        """The tier's name as people write it."""
        return {4: "namespaced+cgroup", 3: "container"}.get(int(self), self.name.lower())

    @classmethod
    def parse(cls, text: str | Isolation) -> Isolation:
        """Read a tier by its name.

        >>> Isolation.parse("namespaced+cgroup") > Isolation.parse("reduced")
        True
        """
        if isinstance(text, cls):
            return text
        for tier in cls:
            if tier.label == text:
                return tier
        raise JobRefused(f"no isolation tier {text!r}; the tiers are {', '.join(tier.label for tier in cls)}")


class Outcome(str, enum.Enum):
    """How a job ended. Only `OK` means that it did all it was asked to; no outcome says that it was *right*."""

    OK = "ok"
    ERROR = "error"
    """It ended by itself, but badly: an exception, a status other than 0, or calls left unanswered."""
    CRASH = "crash"
    """A signal ended it."""
    TIMEOUT = "timeout"
    CPU = "cpu"
    MEMORY = "memory"
    OUTPUT = "output"
    PROCESSES = "processes"
    TAMPERED = "tampered"
    """It wrote something other than answers where answers go, or passed a test that nobody can pass."""

    def __str__(self) -> str:
        return self.value


_RANGES = {
    "memory_mb": (16, 1 << 20),
    "processes": (1, 32_768),
    "output_kb": (0, 1 << 16),
    "scratch_mb": (1, 1 << 16),
    "inodes": (16, 1 << 20),
    "files": (16, 65_536),
}


@dataclass(frozen=True, slots=True)
class Limits:
    """What one job may use. `output_kb` counts standard output and error together; `scratch_mb` is its whole disk."""

    wall_s: float = 4.0
    cpu_s: float = 4.0
    memory_mb: int = 512
    processes: int = 64
    output_kb: int = 1024
    scratch_mb: int = 64
    inodes: int = 4096
    files: int = 128

    def __post_init__(self) -> None:
        for name in ("wall_s", "cpu_s"):
            seconds = getattr(self, name)
            if type(seconds) not in (int, float) or not 0 < seconds <= 86_400:
                raise JobRefused(f"{name}={seconds!r} is no time limit; give seconds above 0 and at most 86400")
        for name, (least, most) in _RANGES.items():
            count = getattr(self, name)
            if type(count) is not int or not least <= count <= most:
                raise JobRefused(f"{name}={count!r} cannot be kept; give an integer from {least} to {most}")


class Call:
    """The arguments of one call, written as the call itself is: `Call(1, 2, key=3)`."""

    __slots__ = ("args", "kwargs")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.args, self.kwargs = args, kwargs


@dataclass(frozen=True, slots=True)
class Job:
    """One thing to run. Build it with a constructor below; expected outputs are not part of it, on purpose."""

    kind: Kind
    source: str = ""
    entry: str = ""
    args: tuple[tuple[tuple[Any, ...], dict[str, Any]], ...] = ()
    observe: Literal["value", "arguments"] = "value"
    argv: tuple[str, ...] = ()
    stdin: bytes = b""
    stdins: tuple[bytes, ...] = ()
    files: Mapping[str, bytes] = field(default_factory=dict)
    env: Mapping[str, str] = field(default_factory=dict)
    language: str = ""
    flags: tuple[str, ...] = ()
    tests: tuple[str, ...] = ()
    canaries: bool = True
    artifacts: tuple[str, ...] = ()
    proc: bool = False
    init: bool = True
    reserve_mb: int = 256
    limits: Limits | None = None

    @classmethod
    def calls(
        cls,
        source: str,
        entry: str,
        calls: Iterable[Sequence[Any] | Call],
        *,
        observe: Literal["value", "arguments"] = "value",
        files: Mapping[str, str | bytes] | None = None,
        limits: Limits | None = None,
    ) -> Job:
        """Call a Python function of `source` on inputs; the returned values come back for the caller to compare.

        Args:
            source: A module's text. It runs once, under the name `solution`; then the calls are made in order.
            entry: The function: `f`, or `Solution.f` (a class on the way is called without arguments to get an object).
            calls: One entry a call: a sequence of the positional arguments, or `Call(1, 2, key=3)`. Plain values
                only: None, bool, int, float, complex, str, bytes, list, tuple, dict, set, frozenset.
            observe: What comes back: the returned `value`, or the `arguments` as the function left them (a list).
            files: Further files in the working directory, by relative path.
        """
        made = tuple((call.args, call.kwargs) if isinstance(call, Call) else (_arguments(call), {}) for call in calls)
        if len(made) > MAX_CALLS:
            raise JobRefused(f"{len(made)} calls in one job; at most {MAX_CALLS}, so split the job")
        if not all(part.isidentifier() for part in entry.split(".")):
            raise JobRefused(f"{entry!r} does not name a function; write `f` or `Solution.f`")
        if observe not in ("value", "arguments"):
            raise JobRefused(f"observe={observe!r} is neither 'value' nor 'arguments'")
        return cls("calls", source, entry, made, observe, files=_files(files), limits=limits)

    @classmethod
    def script(
        cls,
        source: str,
        stdin: str | bytes = b"",
        *,
        argv: Sequence[str] = (),
        files: Mapping[str, str | bytes] | None = None,
        artifacts: Sequence[str] = (),
        limits: Limits | None = None,
    ) -> Job:
        """Run a Python program as `__main__`, with its standard input; standard output comes back."""
        return cls(
            "script",
            source,
            argv=_strings(argv),
            stdin=_bytes(stdin),
            files=_files(files),
            artifacts=_patterns(artifacts),
            limits=limits,
        )

    @classmethod
    def command(
        cls,
        argv: Sequence[str],
        stdin: str | bytes = b"",
        *,
        files: Mapping[str, str | bytes] | None = None,
        env: Mapping[str, str] | None = None,
        artifacts: Sequence[str] = (),
        proc: bool = True,
        init: bool = True,
        reserve_mb: int = 256,
        limits: Limits | None = None,
    ) -> Job:
        """Run any program that is in the sandbox. Files whose path starts with `bin/` are made executable.

        Args:
            proc: Mount a /proc of the job's own processes. Many runtimes look there; it costs 0.2 ms.
            init: Keep a tiny parent in front of the program: as process 1 it would be deaf to its own signals.
            reserve_mb: Address space beyond `memory_mb` that the program may reserve without using it, as runtimes do.
        """
        words = _strings(argv)
        if not words or not words[0]:
            raise JobRefused("a command needs at least the name of a program")
        return cls(
            "command", argv=words, stdin=_bytes(stdin), files=_files(files), env=dict(env or {}),
            artifacts=_patterns(artifacts), proc=proc, init=init, reserve_mb=reserve_mb, limits=limits,
        )  # fmt: skip

    @classmethod
    def compiled(
        cls,
        language: str,
        source: str,
        stdins: Sequence[str | bytes] = (b"",),
        *,
        flags: Sequence[str] = (),
        limits: Limits | None = None,
    ) -> Job:
        """Compile a program in the sandbox (or find it compiled), then run it once for each standard input.

        Args:
            language: `c`, `cpp`, `rust`, `go`, `java`, `javascript` or `typescript`.
            flags: Further compiler flags; they are part of the cache's key.
        """
        if not stdins or isinstance(stdins, (str, bytes)):
            raise JobRefused("a compiled job needs a list with at least one standard input; b'' will do")
        return cls(
            "compiled",
            source,
            stdins=tuple(_bytes(text) for text in stdins),
            language=language,
            flags=_strings(flags),
            limits=limits,
        )

    @classmethod
    def pytest(
        cls,
        files: Mapping[str, str | bytes],
        tests: Sequence[str],
        *,
        canaries: bool = True,
        limits: Limits | None = None,
    ) -> Job:
        """Run the named pytest tests, each in a sandbox of its own. **Forgeable**: judge and judged share a process.

        The caller fixes the tests by node id (`test_it.py::test_sum`), so a test that vanishes has failed; canaries
        that no honest program can pass run among them, and one that passes makes the outcome `tampered`. A determined
        attacker still wins: use `calls` where a reward depends on it.

        Args:
            limits: For each test by itself.
        """
        names = _strings(tests)
        if not names or any("::" not in name for name in names):
            raise JobRefused("name each test in full, such as 'test_it.py::test_sum': the host fixes what is run")
        if len(set(names)) != len(names):
            raise JobRefused("a test is named twice")
        return cls("pytest", tests=names, files=_files(files), canaries=canaries, limits=limits)

    def within(self, limits: Limits) -> Job:
        """The same job under other limits."""
        return replace(self, limits=limits)


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of one call: it `returned`, `raised` an exception, or is `missing` because the job ended first."""

    status: Literal["returned", "raised", "missing"]
    value: Any = None
    error: str = ""
    message: str = ""

    @property
    def returned(self) -> bool:
        """Whether there is a value to compare."""
        return self.status == "returned"


@dataclass(frozen=True, slots=True)
class Artifact:
    """A regular file that the job left in its working directory, read after the job's death."""

    path: str
    data: bytes
    truncated: bool = False


@dataclass(frozen=True, slots=True)
class Metrics:
    """Where a job's time went, in seconds: waiting for a worker, preparing the sandbox, running, cleaning up."""

    queue_s: float = 0.0
    setup_s: float = 0.0
    run_s: float = 0.0
    teardown_s: float = 0.0
    attempts: int = 1


@dataclass(frozen=True, slots=True)
class Result:
    """How a job ended. `isolation` and `gaps` say how well it was contained while it ran.

    `integrity` is `values` where the host compares what came back, and `in_process` where the judged code shared a
    process with its judge and could have forged the verdict (pytest).
    """

    outcome: Outcome
    exit_code: int | None = None
    signal: int | None = None
    stdout: bytes = b""
    stderr: bytes = b""
    answers: tuple[Answer, ...] = ()
    runs: tuple[Result, ...] = ()
    tests: Mapping[str, str] = field(default_factory=dict)
    artifacts: tuple[Artifact, ...] = ()
    truncated: bool = False
    detail: str = ""
    wall_s: float = 0.0
    cpu_s: float = 0.0
    max_rss_kb: int = 0
    isolation: Isolation = Isolation.NONE
    gaps: tuple[str, ...] = ()
    integrity: Literal["values", "in_process"] = "values"
    metrics: Metrics = Metrics()

    @property
    def ok(self) -> bool:
        """Whether the job did all it was asked to. It may still have been wrong."""
        return self.outcome is Outcome.OK

    @property
    def values(self) -> list[Any]:
        """The returned values in order; a call without one gives an `Opaque`, which equals nothing but itself."""
        return [answer.value if answer.returned else Opaque(answer.error or answer.status) for answer in self.answers]


class Worker(Protocol):
    """One slot of a backend. The pool uses it from one thread at a time and gives it one job at a time."""

    @property
    def isolation(self) -> Isolation:
        """The tier this worker really runs in."""

    @property
    def gaps(self) -> tuple[str, ...]:
        """What this worker does not contain, one sentence each."""

    @property
    def worn(self) -> bool:
        """Whether the pool should replace this worker before the next job."""

    def run(self, job: Job, limits: Limits, cancel: threading.Event | None = None) -> Result:
        """Run one `calls`, `script`, `command` or one-test `pytest` job. Raises `WorkerLost` if the machinery broke."""

    def pids(self) -> tuple[int, ...]:
        """The processes of this worker on the host, for tests and reports."""

    def close(self) -> None:
        """End the worker and everything in it. Safe to call twice, and on a broken worker."""


class Backend(Protocol):
    """A way to make workers. `start` may be called from several threads at once."""

    @property
    def name(self) -> str:
        """`embedded`, `docker`, or yours."""

    @property
    def isolation(self) -> Isolation:
        """The tier its workers have."""

    @property
    def gaps(self) -> tuple[str, ...]:
        """What its workers do not contain."""

    def start(self, slot: int, limits: Limits) -> Worker:
        """Make a worker for jobs within `limits`. Raises `WorkerLost` when it cannot be made this time."""

    def close(self) -> None:
        """Free whatever outlives the workers."""


def _arguments(call: Sequence[Any]) -> tuple[Any, ...]:
    if not isinstance(call, (list, tuple)):
        raise JobRefused(f"a call is a list or tuple of arguments, not {call!r:.60}; one argument is written (x,)")
    return tuple(call)


def _bytes(text: str | bytes) -> bytes:
    return text.encode("utf-8", "surrogateescape") if isinstance(text, str) else bytes(text)


def _strings(words: Sequence[str]) -> tuple[str, ...]:
    if isinstance(words, str) or any(type(word) is not str or "\0" in word for word in words):
        raise JobRefused(f"{words!r} is not a list of words")
    return tuple(words)


def checked_path(name: str) -> str:
    """A relative path inside the working directory, in its plain form. Raises JobRefused for any other."""
    path = PurePosixPath(name)
    if not name or "\0" in name or path.is_absolute() or ".." in path.parts or str(path) == ".":
        raise JobRefused(f"{name!r} is not a relative path inside the working directory")
    return str(path)


def _patterns(names: Sequence[str]) -> tuple[str, ...]:
    return tuple(checked_path(name) for name in _strings(names))


def _files(files: Mapping[str, str | bytes] | None) -> dict[str, bytes]:
    made = {checked_path(name): _bytes(data) for name, data in (files or {}).items()}
    if len(made) > MAX_FILES:
        raise JobRefused(f"{len(made)} files in one job; at most {MAX_FILES}")
    return made
