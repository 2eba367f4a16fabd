"""Qualities beyond correctness, as named parts of a verdict: lint, complexity, types, security, length, time, memory.

They are measured only of a submission that passed every case, never change its score, and lie in [0, 1]. The tools read
the submission as data: nothing of it is imported or run by them. Comments that would quieten a tool (`noqa`, `type:
ignore`, `nosec`, `mypy:`, ...) are struck out first, and each counts as one finding of the tools that it addresses.

    lint        1 / (1 + d), d the findings of ruff per ten lines
    complexity  10 / c, at most 1, c the highest cyclomatic complexity of a function (McCabe 1976, by ruff)
    types       1 / (1 + d), d the errors of `mypy --strict` per ten lines
    security    1 / (1 + s), s the findings of bandit: 1 for a high, 0.5 for a medium, 0.1 for a low one
    length      reference's characters / submission's, at most 1
    time        (reference's processor time + e) / (submission's + e), at most 1; `speedup` is the same without the
    limit memory      (reference's peak + e) / (submission's + e), at most 1

`time` and `memory` run both programs in turn on the task's cases and take the least of three runs; e (20 ms, 16 MiB)
keeps the noise of starting a process out of the ratio. A part of a tool that did not come to an end is 0.
"""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import json
import math
import re
import subprocess
from typing import TYPE_CHECKING, Any

from proofgym.errors import BadInput, Unjudged, need
from proofgym.sandboxes import Job, Limits
from proofgym.verifiers.code import texts
from proofgym.verifiers.code.pools import shared

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from proofgym.verifiers.code.report import Fate
    from proofgym.verifiers.code.task import CodeTask

__all__ = ["QUALITIES", "check", "measure"]

QUALITIES = ("lint", "complexity", "types", "security", "length", "time", "memory")
RUNS = 3
NOISE_S, NOISE_MB = 0.02, 16.0
LIMITS = Limits(
    wall_s=60, cpu_s=60, memory_mb=2048, processes=64, output_kb=4096, scratch_mb=256, inodes=16_384, files=1024
)
RULES = "E,F,W,B,C4,I,N,PERF,PIE,RET,RUF,SIM,UP"

_WORDS = {
    "lint": r"(?:ruff|flake8|pylint|isort)\s*:|noqa\b|pylint\s*:",
    "types": r"type\s*:\s*ignore\b|(?:mypy|pyright|pyre)\s*[:-]",
    "security": r"nosec\b|bandit\s*:",
}
_MUTES = {name: re.compile(rf"#[ \t]{{0,20}}(?:{words})[^\n]*", re.IGNORECASE) for name, words in _WORDS.items()}
_NO_CHECK = re.compile(r"\bno_type_check(?:_decorator)?\b")

_MYPY = """
import json, sys
sys.modules["psutil"] = None  # it would look for /proc
from mypy import api
out, err, status = api.run([
    "--strict", "--config-file=", "--no-incremental", "--cache-dir=/dev/null", "--no-site-packages",
    "--no-color-output", "--no-error-summary", "--hide-error-context", "--show-error-codes", "judged/solution.py",
])
print(json.dumps({"status": status, "errors": sum(": error: " in line for line in out.splitlines()), "said":
err[:500]}))
"""
_BANDIT = """
import io, json, logging
logging.disable(logging.CRITICAL)
from bandit.core import config, manager
judge = manager.BanditManager(config.BanditConfig(), "file", ignore_nosec=True)
judge.discover_files(["judged/solution.py"])
judge.run_tests()
found = [issue.severity for issue in judge.get_issue_list()]
print(json.dumps({"found": found, "skipped": len(judge.skipped)}))
"""


def check(task: CodeTask, names: Sequence[str]) -> None:
    """Refuse qualities that cannot be measured of this task, before anything is run.

    Raises:
        BadInput: An unknown name, a language that no tool reads, or no reference to measure against.
        MissingExtra: A tool is not installed.
    """
    for name in names:
        if name not in QUALITIES:
            raise BadInput(f"no quality {name!r}; there are {', '.join(QUALITIES)}")
        if name in ("lint", "complexity", "types", "security") and task.language != "python":
            raise BadInput(f"{name} is measured of Python only, and the task is in {task.language}")
        if name in ("length", "time", "memory") and not task.reference:
            raise BadInput(f"{name} is measured against a reference, and the task has none")
        for quality, module in (("lint", "ruff"), ("complexity", "ruff"), ("types", "mypy"), ("security", "bandit")):
            if name == quality and importlib.util.find_spec(module) is None:
                need(module, "code")


def measure(code: str, reference: str, names: Sequence[str], run: Callable[[str], Sequence[Fate]]) -> dict[str, float]:
    """The named parts of a submission that passed every case.

    Args:
        code, reference: Two programs, whole as they are run.
        run: Runs a program on the task's cases.
    Raises:
        Unjudged: The reference does not pass the cases itself.
    """
    parts: dict[str, float] = {}
    quiet = {name: struck(code, name) for name in _MUTES}
    lines = max(10, sum(1 for line in code.splitlines() if line.strip()))
    for name in names:
        if name == "lint":
            found = _ruff(quiet["lint"][0], RULES)
            parts[name] = 0.0 if found is None else _share(len(found) + quiet["lint"][1], lines)
        elif name == "complexity":
            parts[name] = _complexity(code)
        elif name == "types":
            told = _tool(_MYPY, quiet["types"][0])
            fine = told is not None and told["status"] in (0, 1)
            parts[name] = _share(told["errors"] + quiet["types"][1], lines) if told is not None and fine else 0.0
        elif name == "security":
            told = _tool(_BANDIT, quiet["security"][0])
            parts[name] = 0.0 if told is None or told["skipped"] else _safety(told["found"], quiet["security"][1])
        elif name == "length":
            parts[name] = min(1.0, max(1, len(reference.strip())) / max(1, len(code.strip())))
    if "time" in names or "memory" in names:
        raced, wanted = _race(code, reference, run), {*names, *(["speedup"] if "time" in names else [])}
        parts |= {name: value for name, value in raced.items() if name in wanted}
    return parts


def struck(code: str, name: str) -> tuple[str, int]:
    """The code without the comments that address a tool, and how many there were.

    >>> struck("import os  # noqa: F401\\n", "lint")
    ('import os  #\\n', 1)
    """
    quiet, count = _MUTES[name].subn("#", code)
    if name == "types":
        count += len(_NO_CHECK.findall(code))
    return quiet, count


def _share(findings: float, lines: int) -> float:
    return 1.0 / (1.0 + 10.0 * findings / lines)


def _safety(found: Sequence[str], mutes: int) -> float:
    weights = {"HIGH": 1.0, "MEDIUM": 0.5, "LOW": 0.1}
    return 1.0 / (1.0 + mutes + math.fsum(weights.get(severity, 1.0) for severity in found))


def _complexity(code: str) -> float:
    found = _ruff(code, "C901", "lint.mccabe.max-complexity=0")
    if found is None:
        return 0.0
    levels = [int(number) for number in re.findall(r"\((\d+) > 0\)", "\n".join(one["message"] for one in found))]
    return min(1.0, 10.0 / max(levels, default=1))


def _ruff(code: str, rules: str, *settings: str) -> list[dict[str, Any]] | None:
    """Findings of ruff, a program that only parses: with no configuration of anybody's, bounded in time and memory."""
    find: Callable[[], str] = importlib.import_module("ruff.__main__").find_ruff_bin
    command = [find(), "check", "--isolated", "--no-cache", "--ignore-noqa", "--exit-zero", "--quiet"]
    command += ["--output-format=json", f"--select={rules}", "--line-length=100", "--stdin-filename=solution.py"]
    for setting in settings:
        command += ["--config", setting]
    process = subprocess.Popen(  # noqa: S603 - a tool that the host's owner installed
        [*command, "-"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        env={"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"}, cwd="/",
    )  # fmt: skip
    with process:
        _bound(process.pid)
        try:
            out, _ = process.communicate(code.encode(), timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()
            return None
    if process.returncode:
        return None
    found = json.loads(out)
    return found if isinstance(found, list) else None


def _bound(pid: int) -> None:
    """Limits on a process that has just begun."""
    import resource

    if hasattr(resource, "prlimit"):
        with contextlib.suppress(OSError):  # it may have ended already
            resource.prlimit(pid, resource.RLIMIT_AS, (4 << 30, 4 << 30))
            resource.prlimit(pid, resource.RLIMIT_CPU, (20, 20))


def _tool(script: str, code: str) -> dict[str, Any] | None:
    """What a tool written in Python says of the code, in a sandbox with the installed packages.

    Returns:
        None if it came to no end on this code, though it does on other code.
    Raises:
        Unjudged: It fails on any code.
    """
    pool = shared(packages=True)
    result = pool.run(Job.script(script, files={"judged/solution.py": code}, limits=LIMITS))
    if result.ok:
        told = json.loads(result.stdout)
        return told if isinstance(told, dict) else None
    control = pool.run(Job.script(script, files={"judged/solution.py": "x = 1\n"}, limits=LIMITS))
    if not control.ok:
        raise Unjudged(f"a tool does not work in the sandbox: {texts.last_line(control.stderr) or control.outcome}")
    return None


def _race(code: str, reference: str, run: Callable[[str], Sequence[Fate]]) -> dict[str, float]:
    """Both programs in turn on the same cases, the least of a few runs each."""
    spent: dict[str, list[tuple[float, float]]] = {"ours": [], "theirs": []}
    for _ in range(RUNS):
        for name, source in (("ours", reference), ("theirs", code)):
            fates = run(source)
            if name == "ours" and not all(fate.passed for fate in fates):
                failed = next(fate for fate in fates if not fate.passed)
                raise Unjudged(f"the task's own reference does not pass {failed.name!r}: {failed.detail}")
            spent[name].append((math.fsum(fate.cpu_s for fate in fates), max(fate.memory_mb for fate in fates)))
    ours, theirs = ([min(column) for column in zip(*spent[name], strict=True)] for name in ("ours", "theirs"))
    speedup = (ours[0] + NOISE_S) / (theirs[0] + NOISE_S)
    memory = (ours[1] + NOISE_MB) / (theirs[1] + NOISE_MB)
    return {"time": min(1.0, speedup), "speedup": speedup, "memory": min(1.0, memory)}
