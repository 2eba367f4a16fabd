"""A report for the terminal: every case's fate in a table, and the verdict below it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from proofgym.verifiers.code.report import Ending

if TYPE_CHECKING:
    from rich.table import Table

    from proofgym.verifiers.code.report import CodeReport

__all__ = ["summary", "table"]

_STYLES = {Ending.PASSED: "green", Ending.UNRUN: "dim", Ending.TAMPERED: "bold red"}


def table(report: CodeReport, *, hidden: bool = False) -> Table:
    """Name, fate, time and reason of every case; of hidden cases the reason only if `hidden` says so."""
    from rich.markup import escape
    from rich.table import Table

    made = Table(box=None, pad_edge=False)
    for name in ("case", "fate", "time"):
        made.add_column(name, no_wrap=True, justify="right" if name == "time" else "left")
    made.add_column("why", overflow="fold")
    for fate in report.tests:
        style = _STYLES.get(fate.ending, "red")
        why = fate.detail if fate.visible or hidden else "(hidden)" if fate.detail else ""
        time = f"{fate.wall_s * 1000:.0f} ms" if fate.wall_s else ""
        made.add_row(escape(fate.name), f"[{style}]{fate.ending.value}[/{style}]", time, escape(why))
    return made


def summary(report: CodeReport) -> str:
    """The verdict in a line, its parts in another, and what the sandbox did not contain."""
    verdict = report.verdict
    passed = sum(fate.passed for fate in report.tests)
    lines = [f"{verdict.status.value}: {passed} of {len(report.tests)} cases passed, score {verdict.score:.3g}"]
    if verdict.status.value == "malformed" or "tampered" in verdict.parts:
        lines[0] = f"{verdict.status.value}: {verdict.reason}"
    lines.append("  ".join(f"{name} {value:.3g}" for name, value in verdict.parts.items()))
    if report.integrity == "in_process":
        lines.append("judge and judged shared a process: a pass can be forged")
    lines += [f"not contained: {gap}" for gap in report.gaps]
    return "\n".join(line for line in lines if line)
