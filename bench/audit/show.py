"""An audit on a terminal: one line a check, and under each failure how to see it again."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from proofgym.bench.audit.finding import AuditReport, Finding, Outcome
from proofgym.bench.hidden import named

__all__ = ["overview", "report", "width"]

_MARKS = {
    Outcome.PASS: ("PASS", "green"), Outcome.FAIL: ("FAIL", "bold red"), Outcome.UNCLEAR: ("few", "yellow"),
    Outcome.NOT_APPLICABLE: ("n.a.", "dim"),
}  # fmt: skip


def width(console: Console) -> Console:
    """A console for a file or a pipe, where there is no width to keep to."""
    return console if console.is_terminal else Console(width=160, file=console.file)


def report(found: AuditReport) -> RenderableType:
    """All findings of one audit."""
    arguments = ", ".join(f"{key}={value!r}" for key, value in found.kwargs.items())
    parts: list[RenderableType] = [Text(f"{found.target}{f' ({arguments})' if arguments else ''}", "bold")]
    table = Table.grid(padding=(0, 1))
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for finding in found.findings:
        mark, style = _MARKS[finding.outcome]
        dim = "dim" if finding.outcome is Outcome.NOT_APPLICABLE else ""
        table.add_row(
            Text(mark, style), Text(finding.check, dim), Text(named(finding.figure).replace("\n", "\\n"), dim)
        )
    parts.append(Padding(table, (0, 2)))
    parts.extend(_recipe(finding) for finding in found.of(Outcome.FAIL))
    verdict = "failed" if found.exit_code else "nothing could be asked" if found.skipped else "passed"
    style = "bold red" if found.exit_code else "yellow" if found.skipped else "bold green"
    parts.append(Text(f"{verdict}: {found.summary()}; {found.depth}, {found.cpu_s:.1f} s of processor time", style))
    return Group(*parts)


def overview(reports: Sequence[AuditReport]) -> RenderableType:
    """Many audits: whoever failed with the reasons, the others counted."""
    parts: list[RenderableType] = [report(found) for found in reports if found.exit_code]
    skipped = [found for found in reports if found.skipped]
    parts.extend(Text(f"n.a.  {found.target}: {found.findings[0].figure}", "dim") for found in skipped)
    few = [found.target for found in reports if found.of(Outcome.UNCLEAR) and not found.exit_code]
    if few:
        listed = ", ".join(name.removeprefix("proofgym/") for name in few)
        parts.append(
            Text(f"few   too few episodes to support the chance level of {listed}; a deeper audit tells", "yellow")
        )
    good = sum(found.passed for found in reports)
    bad = len(reports) - good - len(skipped)
    spent = sum(found.cpu_s for found in reports)
    said = (
        f"{good} of {len(reports)} environments pass, {bad} fail, {len(skipped)} could not be asked here; {spent:.0f} s"
    )
    parts.append(Text(f"{said} of processor time", "bold red" if bad else "bold green"))
    return Group(*parts)


def _recipe(finding: Finding) -> RenderableType:
    if finding.recipe is None:
        return Text("")
    return Padding(Group(Text(f"to see {finding.check} fail:", "dim"), Text(named(finding.recipe.code()))), (0, 2))
