"""A badge of an audit: a small SVG without fonts or scripts from elsewhere, or the JSON that shields.io reads."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from proofgym.bench.audit.finding import AuditReport, Outcome

__all__ = ["message", "shields", "svg", "write"]

_COLOURS = {"pass": "#2e7d32", "fail": "#c62828", "none": "#757575"}
_LABEL = "proofgym audit"


def message(reports: Sequence[AuditReport]) -> tuple[str, str]:
    """What the badge says, and its state: `pass`, `fail` or `none`."""
    if len(reports) == 1:
        bad = [finding.check for finding in reports[0].of(Outcome.FAIL)]
        if bad:
            return f"fails {', '.join(bad[:3])}{' …' if len(bad) > 3 else ''}", "fail"
        good = len(reports[0].of(Outcome.PASS))
        return (f"{good} checks pass", "pass") if good else ("not auditable here", "none")
    asked = [report for report in reports if not report.skipped]
    good = sum(report.passed for report in asked)
    if not asked:
        return "nothing audited", "none"
    return f"{good} of {len(asked)} environments pass", "pass" if good == len(asked) else "fail"


def svg(reports: Sequence[AuditReport]) -> str:
    """The badge as an SVG of one line."""
    said, state = message(reports)
    left, right = (round(6.3 * len(text) + 12) for text in (_LABEL, said))
    text, width = escape(said), left + right
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="20" role="img" aria-label="{_LABEL}: {text}">'
        f"<title>{_LABEL}: {text}</title>"
        f'<clipPath id="r"><rect width="{width}" height="20" rx="3"/></clipPath><g clip-path="url(#r)">'
        f'<rect width="{left}" height="20" fill="#444"/>'
        f'<rect x="{left}" width="{right}" height="20" fill="{_COLOURS[state]}"/></g>'
        '<g fill="#fff" text-anchor="middle" font-family="Verdana,DejaVu Sans,sans-serif" font-size="11">'
        f'<text x="{left / 2:g}" y="14" textLength="{left - 12}">{_LABEL}</text>'
        f'<text x="{left + right / 2:g}" y="14" textLength="{right - 12}">{text}</text></g></svg>\n'
    )


def shields(reports: Sequence[AuditReport]) -> dict[str, Any]:
    """What https://shields.io/badges/endpoint-badge asks of an endpoint."""
    said, state = message(reports)
    return {"schemaVersion": 1, "label": _LABEL, "message": said, "color": _COLOURS[state].lstrip("#")}


def write(path: Path, reports: Sequence[AuditReport]) -> None:
    """Write an SVG, or JSON if the name ends so."""
    import json

    text = json.dumps(shields(reports)) + "\n" if path.suffix == ".json" else svg(reports)
    path.write_text(text, encoding="utf-8")
