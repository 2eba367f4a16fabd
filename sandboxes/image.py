"""A container image without a registry: this machine's own interpreter, packed into a tar file and imported.

>>> from proofgym.sandboxes.image import build_image
>>> build_image().tag  # doctest: +SKIP
'proofgym-sandbox:latest'

In it: the interpreter and its standard library, the shared libraries that `ldd` lists for it and its extension modules,
a shell and the small commands, time zones, and a few packages for jobs to import. Paths are those of the host, since
an interpreter knows where it lives. Nothing of ours is in it: the nanny's sources are sent when a container starts.
Not in it: compilers, package managers, certificates, users other than root and nobody.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import io
import os
import py_compile
import re
import shutil
import socket
import subprocess
import sys
import tarfile
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from proofgym.errors import BadInput, MissingExtra, need
from proofgym.sandboxes.errors import IsolationUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

__all__ = ["IMAGE", "PACKAGES", "Built", "build_image", "write_tree"]

IMAGE = "proofgym-sandbox:latest"
PACKAGES = ("numpy", "pytest", "pytest-timeout")
"""Distributions that jobs can import besides the standard library, with what they require; missing ones stay out."""

SITE = "/opt/proofgym/site"
"""Where an image keeps the packages for jobs, ours and those of `docker/`."""
READ_LABEL = "proofgym.read"
"""A label of the image: directories beyond the usual ones that jobs may read, separated by colons."""

COMMANDS = """
sh awk basename cat chmod cmp cp cut date diff dirname echo env expr false find grep head id ln ls mkdir mktemp mv nl od
paste printf pwd rm rmdir sed seq sleep sort tail tee test touch tr true uname uniq wc xargs yes
"""
LEFT_OUT = {
    "__pycache__", "dist-packages", "ensurepip", "idlelib", "lib2to3", "pydoc_data", "site-packages", "test", "tests",
    "tkinter", "turtledemo",
}  # fmt: skip
"""Parts of a standard library that no solution imports, and half of its size."""
EXTRA = ("/etc/ld.so.cache", "/usr/lib/locale/C.utf8", "/usr/share/zoneinfo")
USERS = "root:x:0:0::/:/bin/sh\nnobody:x:65534:65534::/tmp:/bin/sh\n"
GROUPS = "root:x:0:\nnogroup:x:65534:\n"


@dataclass(frozen=True, slots=True)
class Built:
    """An image that was made: what it is called, its digest, and how large it became."""

    tag: str
    id: str
    files: int
    mebibytes: float
    seconds: float

    def __str__(self) -> str:
        return f"{self.tag}: {self.files} files, {self.mebibytes:.0f} MiB, {self.seconds:.1f} s ({self.id[:19]})"


def build_image(tag: str = IMAGE, *, packages: Sequence[str] | None = None, base_url: str | None = None) -> Built:
    """Pack this interpreter into an image and give it to the Docker daemon. Needs no network.

    Args:
        tag: What to call it.
        packages: Installed distributions for jobs to import; by default those of `PACKAGES` that are installed.
        base_url: The daemon's address, else DOCKER_HOST or the local socket.
    Raises:
        IsolationUnavailable: No daemon answers.
        BadInput: A package that was asked for is not installed.
    """
    docker = sdk()
    begun = time.monotonic()
    with tempfile.TemporaryFile() as file:
        count = write_tree(file, packages)
        size = file.tell()
        file.seek(0)
        try:
            client = connect(base_url, timeout=300)
            try:
                changes = ["ENV PATH=/usr/local/bin:/usr/bin:/bin", f'LABEL {READ_LABEL}="{_prefix()}"']
                client.import_image_from_data(file, *_repository(tag), changes=changes)
                found = str(client.inspect_image(tag)["Id"])
            finally:
                client.close()
        except (docker.errors.DockerException, OSError) as error:
            raise IsolationUnavailable(f"the image could not be given to Docker: {error}") from error
    return Built(tag, found, count, size / 2**20, time.monotonic() - begun)


def sdk() -> Any:
    """The Docker SDK. Raises MissingExtra, also where `import docker` finds a mere folder of that name, like ours."""
    docker = need("docker", "docker")
    if not hasattr(docker, "APIClient"):
        raise MissingExtra("docker is not installed; `pip install 'proofgym[docker]'` brings it")
    return docker


def connect(base_url: str | None = None, **options: Any) -> Any:
    """A client of the daemon at `base_url`, DOCKER_HOST, or the local socket. Raises OSError or DockerException."""
    docker = sdk()
    where = {"base_url": base_url} if base_url else docker.utils.kwargs_from_env()
    knock(where.get("base_url"))
    return docker.APIClient(**{"version": "auto", **where, **options})


def knock(base_url: str | None) -> None:
    """Raise OSError if nobody listens at a local address: the SDK would find out too, and leave a socket open."""
    place = base_url or sdk().constants.DEFAULT_UNIX_SOCKET
    if "unix://" in place:
        with socket.socket(socket.AF_UNIX) as end:
            end.settimeout(10)
            end.connect("/" + place.partition("://")[2].lstrip("/"))


def write_tree(file: IO[bytes], packages: Sequence[str] | None = None) -> int:
    """Write the image's file system as a tar file; returns the number of files in it."""
    if sys.platform != "linux":
        raise BadInput(f"an interpreter of {sys.platform} runs in no Linux container; use docker/Dockerfile")
    return _Tree(file).write(packages)


class _Tree:
    """A file system on its way into a tar file: every path once, owned by root, readable by all."""

    def __init__(self, file: IO[bytes]) -> None:
        self.tar = tarfile.open(fileobj=file, mode="w", format=tarfile.GNU_FORMAT)  # noqa: SIM115 - closed in `write`
        self.seen: set[str] = set()
        self.sources: set[str] = set()
        self.binaries: list[str] = []
        self.files = 0

    def write(self, packages: Sequence[str] | None) -> int:
        with self.tar:
            self.tops()
            self.interpreter()
            for name in _closure(_installed() if packages is None else packages):
                self.package(name)
            for command in COMMANDS.split():
                self.command(command)
            for place in EXTRA:
                if Path(place).exists():
                    self.tree(Path(place), place, leave=("right", "posix"))
            self.libraries()
        return self.files

    def tops(self) -> None:
        """What every root has. /bin, /lib and so on are links where the host has links."""
        for name, mode in {
            "proc": 0o555,
            "sys": 0o555,
            "dev": 0o755,
            "tmp": 0o1777,
            "etc": 0o755,
            "opt": 0o755,
        }.items():
            self.folder("/" + name, mode)
        for name in ("bin", "sbin", "lib", "lib32", "lib64", "libx32"):
            path = Path("/", name)
            if path.is_symlink():
                self.link(str(path), str(path.readlink()))
                self.folder(str(path.resolve()))
        self.link("/box/tmp", "/tmp")  # noqa: S108 - where the embedded backend has its scratch
        self.text("/etc/passwd", USERS)
        self.text("/etc/group", GROUPS)

    def interpreter(self) -> None:
        """The interpreter where it is, its standard library, and the names by which it is called."""
        program = interpreter()
        self.add(program, str(program))
        library = Path(os.__file__).resolve().parent
        for_linking = re.compile(r"config-.*|.*\.a").fullmatch
        self.tree(library, str(library), leave=LEFT_OUT, skip=lambda name: for_linking(name) is not None)
        for name in ("python3", "python", program.name):
            self.link(f"/usr/local/bin/{name}", str(program))

    def package(self, name: str) -> None:
        """An installed distribution, file by file, into the place for jobs' packages."""
        distribution = importlib.metadata.distribution(name)
        for entry in distribution.files or ():
            if ".." in entry.parts or entry.suffix == ".pyc" or "tests" in entry.parts[:-1]:
                continue
            source = Path(str(distribution.locate_file(entry)))
            if source.is_file():
                self.add(source, f"{SITE}/{entry}")

    def command(self, name: str) -> None:
        found = shutil.which(name, path="/usr/bin:/bin")
        if found is not None:
            self.add(Path(found).resolve(), f"/usr/bin/{name}")

    def libraries(self) -> None:
        """All shared libraries that the programs and extension modules so far are linked with."""
        for library in sorted(_linked(self.binaries) - self.sources):
            self.add(Path(library), library)
        for found in Path("/usr/lib").glob("*/libgcc_s.so.1"):  # loaded by libc itself, to end threads
            self.add(found, str(found))

    def tree(
        self, source: Path, inside: str, leave: Iterable[str] = (), skip: Callable[[str], bool] = lambda _: False
    ) -> None:
        """A file, or a directory with all below it but directories in `leave` and names that `skip` points out."""
        if source.is_file():
            self.add(source, inside)
            return
        for top, folders, names in os.walk(source):
            folders[:] = sorted(folder for folder in folders if folder not in leave and not skip(folder))
            for name in sorted(names):
                path = Path(top, name)
                if path.is_file() and not skip(name):
                    self.add(path, f"{inside}/{path.relative_to(source)}")

    def add(self, source: Path, inside: str) -> None:
        """One regular file; a Python source brings its bytecode, for the root of a container is read-only."""
        inside = self.place(inside)
        if inside in self.seen:
            return
        self.sources.add(str(source))
        status = source.stat()
        info = tarfile.TarInfo(inside.lstrip("/"))
        info.size, info.mtime = status.st_size, int(status.st_mtime)
        info.mode = 0o755 if status.st_mode & 0o111 else 0o644
        with source.open("rb") as file:
            if file.read(4) == b"\x7fELF":
                self.binaries.append(str(source))
            file.seek(0)
            self.put(info, file)
        if source.suffix == ".py":
            self.bytecode(source, inside)

    def bytecode(self, source: Path, inside: str) -> None:
        with tempfile.TemporaryDirectory() as folder:
            made = Path(importlib.util.cache_from_source(str(source)))
            if not made.is_file():
                made = Path(folder, "made.pyc")
                try:
                    py_compile.compile(str(source), str(made), inside, doraise=True)
                except (py_compile.PyCompileError, ValueError):
                    return
            data = made.read_bytes()
        cached = importlib.util.cache_from_source(inside)
        self.data(cached, data)

    def text(self, inside: str, text: str) -> None:
        self.data(inside, text.encode())

    def data(self, inside: str, data: bytes) -> None:
        inside = self.place(inside)
        if inside not in self.seen:
            info = tarfile.TarInfo(inside.lstrip("/"))
            info.size, info.mode = len(data), 0o644
            self.put(info, io.BytesIO(data))

    def put(self, info: tarfile.TarInfo, file: IO[bytes]) -> None:
        self.seen.add("/" + info.name)
        self.files += 1
        self.tar.addfile(info, file)

    def link(self, inside: str, target: str) -> None:
        inside = self.place(inside)
        if inside in self.seen or inside == target:
            return
        self.seen.add(inside)
        info = tarfile.TarInfo(inside.lstrip("/"))
        info.type, info.linkname = tarfile.SYMTYPE, target
        self.tar.addfile(info)

    def folder(self, inside: str, mode: int = 0o755) -> None:
        if inside not in self.seen:
            self.place(inside)
            self.seen.add(inside)
            info = tarfile.TarInfo(inside.lstrip("/"))
            info.type, info.mode = tarfile.DIRTYPE, mode
            self.tar.addfile(info)

    def place(self, inside: str) -> str:
        """Where a path really lies once /lib and the like are links, after making the directories on the way."""
        path = Path(inside)
        first = Path("/", path.parts[1])
        if first.is_symlink() and len(path.parts) > 2:
            path = Path(first.resolve(), *path.parts[2:])
        for above in reversed(path.parents):
            if str(above) != "/":
                self.folder(str(above))
        return os.path.normpath(path)


def interpreter() -> Path:
    """The program behind this interpreter, behind any virtual environment and link."""
    return Path(getattr(sys, "_base_executable", None) or sys.executable).resolve()


def _prefix() -> str:
    return str(Path(sys.base_prefix).resolve())


def _repository(tag: str) -> tuple[str, str]:
    name, colon, version = tag.rpartition(":")
    return (name, version) if colon and "/" not in version else (tag, "latest")


def _installed() -> list[str]:
    found = []
    for name in PACKAGES:
        try:
            importlib.metadata.distribution(name)
        except importlib.metadata.PackageNotFoundError:
            continue
        found.append(name)
    return found


def _closure(names: Iterable[str]) -> list[str]:
    """Distributions with what they require here, in a stable order. Raises BadInput for one that is missing."""
    todo = list(names)
    asked, found = set(todo), set[str]()
    while todo:
        name = re.sub(r"[-_.]+", "-", todo.pop()).lower()
        if name in found:
            continue
        try:
            requirements = importlib.metadata.requires(name) or []
        except importlib.metadata.PackageNotFoundError:
            if name in asked:
                raise BadInput(f"no package {name!r} is installed here; `pip install {name}` first") from None
            continue  # required on other systems or versions only
        found.add(name)
        for requirement in requirements:
            word = re.match(r"[A-Za-z0-9][A-Za-z0-9._-]*", requirement)
            if word and "extra ==" not in requirement:
                todo.append(word[0])
    return sorted(found)


def _linked(binaries: Sequence[str]) -> set[str]:
    """The shared libraries, by path, that these programs and libraries are linked with, and the loader."""
    if shutil.which("ldd") is None:
        raise BadInput("`ldd` is needed to find shared libraries, and is not installed here")
    output = subprocess.run(  # noqa: S603 - our own interpreter's files
        ["ldd", *binaries],  # noqa: S607
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "LC_ALL": "C"},
    ).stdout
    return {os.path.normpath(path) for path in re.findall(r"(?:=> |^\t)(/\S+) \(0x", output, re.MULTILINE)}
