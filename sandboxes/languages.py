"""Compiled jobs: a program in C, C++, Rust, Go, Java, JavaScript or TypeScript, compiled once and run on each input.

Compilers run in the same sandbox as everything else: a source file is hostile input to them. What they make is kept in
a cache whose key is a hash of the compiler's version, the flags and the source, and travels into each run as a file of
the job. For C++, a precompiled `bits/stdc++.h` is made in the background, by the host's compiler from its own header.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import os
import re
import shutil
import subprocess
import tempfile
import threading
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from proofgym.sandboxes import wire
from proofgym.sandboxes.errors import JobRefused, MissingProgram, ToolchainMissing
from proofgym.sandboxes.types import Job, Limits, Outcome, Result

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["LANGUAGES", "Compiler", "Language", "available", "binds", "check"]

COMPILING = Limits(
    wall_s=90, cpu_s=40, memory_mb=2048, processes=256, output_kb=256, scratch_mb=512, inodes=16_384, files=512
)


@dataclass(frozen=True, slots=True)
class Language:
    """How to compile and run one language. `{name}` in a command stands for the class or file that was found."""

    file: str
    compiler: str
    version: tuple[str, ...]
    compile: tuple[str, ...]
    run: tuple[str, ...]
    runner: str = ""
    reserve_mb: int = 256
    proc: bool = False
    env: tuple[tuple[str, str], ...] = ()


LANGUAGES = {
    "c": Language(
        "main.c", "gcc", ("--version",), ("-O2", "-std=gnu17", "main.c", "-o", "out/main", "-lm"), ("bin/main",)
    ),
    "cpp": Language(
        "main.cpp", "g++", ("--version",), ("-O2", "-std=gnu++20", "main.cpp", "-o", "out/main"), ("bin/main",)
    ),
    "rust": Language(
        "main.rs", "rustc", ("--version",), ("-O", "--edition=2021", "main.rs", "-o", "out/main"), ("bin/main",)
    ),
    "go": Language(
        "main.go", "go", ("version",), ("build", "-o", "out/main", "main.go"), ("bin/main",), reserve_mb=2048,
        env=(("GOCACHE", "/box/tmp/.cache"), ("GOPATH", "/box/tmp/.go"), ("GOFLAGS", "-mod=mod"), ("CGO_ENABLED", "0")),
    ),
    "java": Language(
        "{name}.java", "javac", ("-version",), ("-J-XX:+UseSerialGC", "-d", "out", "{name}.java"),
        ("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xss64m", "-Xmx{memory}m", "-cp", "out", "{name}"),
        runner="java", reserve_mb=6144, proc=True,
    ),
    "javascript": Language(
        "main.js", "node", ("--version",), (), ("main.js",), runner="node", reserve_mb=4096, proc=True
    ),
    "typescript": Language(
        "main.ts", "tsc", ("--version",), ("--target", "es2022", "--module", "commonjs", "--outDir", "out", "main.ts"),
        ("out/main.js",), runner="node", reserve_mb=4096, proc=True,
    ),
}  # fmt: skip
_ALIASES = {"c++": "cpp", "cc": "cpp", "js": "javascript", "ts": "typescript", "golang": "go", "rs": "rust"}

RUNNERS = {"java": ("-version",), "node": ("--version",)}
_pch_lock = threading.Lock()
_pch_started: set[str] = set()


def check(language: str) -> str:
    """The language's own name.

    Raises:
        JobRefused: We do not know it.

    >>> check("c++")
    'cpp'
    """
    name = _ALIASES.get(language.lower(), language.lower())
    if name not in LANGUAGES:
        raise JobRefused(f"no language {language!r} among {', '.join(LANGUAGES)}")
    return name


def available() -> dict[str, bool]:
    """Which languages this machine's own toolchains cover. What a container has, only a job there can tell."""
    found = {}
    for name, language in LANGUAGES.items():
        found[name] = all(
            host_program(program) is not None for program in (language.compiler, language.runner) if program
        )
    return found


@functools.lru_cache(maxsize=32)
def host_program(name: str) -> str | None:
    """Where a compiler really is on this machine, seen through the shims of version managers."""
    found = shutil.which(name)
    if found is None:
        return None
    if name == "rustc":
        with contextlib.suppress(OSError, subprocess.SubprocessError):
            told = subprocess.run(  # noqa: S603 - a compiler that the host's owner installed
                [found, "--print", "sysroot"], capture_output=True, text=True, timeout=20, check=True
            )
            inner = Path(told.stdout.strip(), "bin", "rustc")
            if inner.exists():
                return str(inner)
    return str(Path(found).resolve())


@functools.lru_cache(maxsize=1)
def binds() -> tuple[str, ...]:
    """Directories outside /usr that workers must show for the toolchains here, and the store of precompiled headers."""
    wanted = [str(_store("pch"))]
    for name in ("rustc", "go", "node", "java", "tsc"):
        program = host_program(name)
        if program and not program.startswith(("/usr/", "/bin/")):
            wanted.append(str(Path(program).parent.parent))
    return tuple(wanted)


class Compiler:
    """Compiles and runs, in the sandboxes of one backend, whose toolchains need not be those of the host.

    Args:
        scope: Keeps the cached programs of one backend apart from those of another.
        shown: Host directories that its sandboxes show; precompiled headers are used only if theirs is among them.
    """

    def __init__(self, scope: str = "", shown: Sequence[str] = ()) -> None:
        self._scope, self._shown = scope, tuple(shown)
        self._found: dict[str, tuple[str, str]] = {}

    def run(self, job: Job, execute: Callable[[Job], Result]) -> Result:
        """Compile (or find compiled) and run once per input. `execute` runs one job on the caller's worker.

        Returns:
            The first run that was not `ok`, or the last; all of them in `runs`. A program that does not compile gives
            `error`, with the compiler's words in `stderr` and no runs.
        Raises:
            ToolchainMissing: The compiler or runtime is not in the sandbox.
        """
        name = check(job.language)
        language = LANGUAGES[name]
        words = {"name": _class_name(job.source) if name == "java" else "main"}
        program, version = self._find(name, language.compiler, language, execute)
        runner = self._find(name, language.runner, language, execute)[0] if language.runner else ""
        built = {language.file: job.source.encode()}
        if language.compile:
            parts = (self._scope, name, version, language.compile, job.flags, job.source)
            key = hashlib.sha256(repr(parts).encode()).hexdigest()
            found = _load(key)
            if found is None:
                made = self._compile(job, name, words, program, execute)
                if isinstance(made, Result):
                    return made
                _save(key, made)
                found = made
            built = found
        memory = (job.limits or Limits()).memory_mb
        argv = [word.format(**words, memory=memory) for word in language.run]
        argv = [runner, *argv] if runner else argv
        runs = []
        for stdin in job.stdins:
            one = Job.command(
                argv, stdin, files=built, env=dict(language.env), proc=language.proc, reserve_mb=language.reserve_mb,
                limits=job.limits,
            )  # fmt: skip
            runs.append(execute(one))
        first_bad = next((one for one in runs if not one.ok), runs[-1])
        return replace(
            first_bad, runs=tuple(runs), wall_s=sum(one.wall_s for one in runs), cpu_s=sum(one.cpu_s for one in runs),
            max_rss_kb=max(one.max_rss_kb for one in runs),
        )  # fmt: skip

    def _find(self, name: str, program: str, language: Language, execute: Callable[[Job], Result]) -> tuple[str, str]:
        """What to call a program inside, and its version: half of the cache's key."""
        if program in self._found:
            return self._found[program]
        version = language.version if program == language.compiler else RUNNERS[program]
        for place in dict.fromkeys((_place(program), program)):
            job = Job.command([place, *version], reserve_mb=language.reserve_mb, limits=COMPILING)
            try:
                result = execute(job)
            except MissingProgram:
                continue
            if result.ok:
                text = (result.stdout + result.stderr).decode("utf-8", "replace").strip()
                self._found[program] = place, f"{place}\n{text}"
                return self._found[program]
        raise ToolchainMissing(
            f"{name} needs {program!r}, which is not in the sandbox; install it on the host or in the image"
        )

    def _compile(
        self, job: Job, name: str, words: dict[str, str], program: str, execute: Callable[[Job], Result]
    ) -> dict[str, bytes] | Result:
        language = LANGUAGES[name]
        flags = list(job.flags)
        if name == "cpp" and "bits/stdc++.h" in job.source and str(_store("pch")) in self._shown:
            flags += _precompiled(self._found[language.compiler][1])
        argv = [program, *(word.format(**words) for word in language.compile), *flags]
        files: dict[str, str | bytes] = {language.file.format(**words): job.source, "out/.keep": b""}
        made = Job.command(
            argv, files=files, env=dict(language.env), artifacts=("out/**",), reserve_mb=language.reserve_mb,
            limits=COMPILING,
        )  # fmt: skip
        result = execute(made)
        built = {artifact.path: artifact.data for artifact in result.artifacts if artifact.path != "out/.keep"}
        if result.ok and built and not any(artifact.truncated for artifact in result.artifacts):
            if "out/main" in built:
                built["bin/main"] = built.pop("out/main")
            return built
        outcome = result.outcome if result.outcome is not Outcome.OK else Outcome.ERROR
        return replace(result, outcome=outcome, detail=f"it does not compile ({outcome})", artifacts=())


def _place(program: str) -> str:
    """What to call a program inside: by name where the usual path has it, else by its place on the host."""
    where = host_program(program)
    return where if where and not where.startswith(("/usr/", "/bin/")) else program


def _class_name(source: str) -> str:
    found = re.search(r"\bpublic\s+(?:final\s+|abstract\s+)*class\s+([A-Za-z_]\w*)", source)
    return found[1] if found else "Main"


# The cache -----------------------------------------------------------------------------------------------------------


@functools.lru_cache(maxsize=8)
def _store(part: str) -> Path:
    import platformdirs

    place = Path(os.environ.get("PROOFGYM_CACHE") or platformdirs.user_cache_dir("proofgym")) / part
    place.mkdir(parents=True, exist_ok=True)
    return place.resolve()


def _load(key: str) -> dict[str, bytes] | None:
    try:
        built = wire.decode((_store("compiled") / key[:2] / key).read_bytes())
    except (OSError, wire.Malformed):
        return None
    return built if isinstance(built, dict) else None


def _save(key: str, built: dict[str, bytes]) -> None:
    """Keep it for next time; a full disk costs only that."""
    place = _store("compiled") / key[:2] / key
    with contextlib.suppress(OSError):
        place.parent.mkdir(exist_ok=True)
        fd, name = tempfile.mkstemp(dir=place.parent)
        with os.fdopen(fd, "wb") as file:
            file.write(wire.encode(built))
        Path(name).replace(place)


def _precompiled(version: str) -> list[str]:
    """Flags that use the precompiled header, once there is one; starts making it the first time."""
    key = hashlib.sha256(repr((version, LANGUAGES["cpp"].compile)).encode()).hexdigest()[:16]
    folder = _store("pch") / key
    if (folder / "bits" / "stdc++.h.gch").exists():
        return [f"-I{folder}"]
    with _pch_lock:
        if key not in _pch_started:
            _pch_started.add(key)
            threading.Thread(target=_precompile, args=(folder,), name="precompile", daemon=True).start()
    return []


def _precompile(folder: Path) -> None:
    """Make the header with the host's compiler; without one there is none."""
    program = host_program("g++")
    if program is None:
        return
    with contextlib.suppress(OSError, subprocess.SubprocessError):
        (folder / "bits").mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder) as work:
            header = Path(work, "all.h")
            header.write_text("#include <bits/stdc++.h>\n")
            made = Path(work, "all.gch")
            command = [program, "-O2", "-std=gnu++20", "-x", "c++-header", str(header), "-o", str(made)]
            subprocess.run(  # noqa: S603 - the host's compiler on the host's header
                command, check=True, capture_output=True, timeout=120, env={"PATH": os.defpath, "LANG": "C.UTF-8"}
            )
            made.chmod(0o644)
            made.replace(folder / "bits" / "stdc++.h.gch")
