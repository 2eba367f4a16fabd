"""`proofgym rewards`: the terms that a reward can be made of, and what a specification says."""

from __future__ import annotations

import json
from typing import Annotated

import typer

__all__ = ["app"]

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
def rewards(
    reward: Annotated[
        str | None, typer.Argument(metavar="REWARD", help="A reward in one line, or a YAML file, to be explained.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """List the terms of rewards; or explain a reward: its terms, gates, bounds, and what can be farmed."""
    if reward is None:
        _list(as_json)
    else:
        _explain(reward, as_json)


def _list(as_json: bool) -> None:
    from proofgym.envs.rewards.terms import kinds

    if as_json:
        rows = [
            {
                "name": kind.name, "summary": kind.summary, "per": kind.per, "source": kind.source, "farm": kind.farm,
                "parameters": [{"name": p.name, "default": p.default, "meaning": p.meaning} for p in kind.parameters],
            }
            for kind in kinds()
        ]  # fmt: skip
        print(json.dumps(rows, indent=2))
        return
    from rich.console import Console
    from rich.padding import Padding
    from rich.text import Text

    console = Console()
    for kind in kinds():
        console.print(Text.assemble((kind.name, "bold"), f"  {kind.summary}"))
        for p in kind.parameters:
            default = "" if p.default is None else f" [{_shown(p.default)}]"
            console.print(Padding(Text.assemble((p.name, "cyan"), f"{default}  {p.meaning}"), (0, 4)))
        if kind.source:
            console.print(Padding(Text(kind.source, "dim"), (0, 4)))
        if kind.farm:
            console.print(Padding(Text(kind.farm, "yellow"), (0, 4)))


def _shown(value: object) -> str:
    return "|".join(f"{part:g}" for part in value) if isinstance(value, tuple) else str(value) or "none"


def _explain(reward: str, as_json: bool) -> None:
    from proofgym.envs.rewards.spec import RewardSpec

    spec = RewardSpec.of(reward)
    if as_json:
        found = {"terms": spec.to_json(), "unsolved": spec.unsolved, "line": str(spec)}
        print(json.dumps(found, indent=2))
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, padding=(0, 2, 0, 0))
    for heading in ("term", "weight", "pays per", "if", "from", "to", "unsolved"):
        table.add_column(heading, justify="right" if heading in ("weight", "from", "to", "unsolved") else "left")
    for term in spec.terms:
        low, high = term.bounds
        gates = " and ".join(map(str, term.gates))
        weight = f"{term.weight:g}" + ("" if term.schedule.kind == "constant" else f" {term.schedule.kind}")
        table.add_row(
            term.label, weight, term.pays_per, gates, f"{low:g}", f"{high:g}",
            "judged" if term.kind.judged else f"{term.unsolved:g}",
        )  # fmt: skip
    console = Console()
    console.print(table)
    console.print(Text(f"without being correct, form alone earns at most {spec.unsolved:g} an episode of one turn"))
