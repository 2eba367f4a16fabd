"""`proofgym lean`: the bare Lean, made and examined."""

from __future__ import annotations

import json
import time
from typing import Annotated

import typer

from proofgym.errors import Unjudged

__all__ = ["app"]

app = typer.Typer(no_args_is_help=True, add_completion=False, rich_markup_mode=None)


@app.callback()
def _group() -> None:
    """Lean without a toolchain: make it, and see whether it proves."""


@app.command()
def setup(force: Annotated[bool, typer.Option("--force", help="Compile again what is there.")] = False) -> None:
    """Compile MiniLean with the Lean of the wheel, into your cache. Happens by itself on first use; takes seconds."""
    from proofgym.verifiers.proof.lean import toolchain

    begun = time.perf_counter()
    print(f"{toolchain.setup(force=force)} ({time.perf_counter() - begun:.1f} s)")


@app.command()
def doctor(as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """Say which Lean is used, and try it: a live step, a good proof, a hole. Exit code 0: it judges, 1: it does not."""
    from proofgym.verifiers import proof

    report: dict[str, object] = {}
    try:
        from proofgym.verifiers.proof.lean import LeanBackend

        with LeanBackend(workers=1) as lean:
            report["version"], report["program"] = lean.toolchain.version, " ".join(lean.toolchain.argv)
            report["modules"] = list(lean.toolchain.path)
            task = proof.ProofTask("goal", "(p q : Prop) (h : p ∧ q) : q ∧ p")
            begun = time.perf_counter()
            state = lean.open(task)
            report["open_s"] = round(time.perf_counter() - begun, 3)
            begun = time.perf_counter()
            report["step"] = lean.run(state, "constructor").ok
            report["step_s"] = round(time.perf_counter() - begun, 3)
            good, hole = (
                lean.examine(task, "exact ⟨h.2, h.1⟩"),
                lean.judge.examine(lean.complete(task), "sorry", gated=False),
            )
            report["accepts_a_proof"], report["check_s"] = good.accepted, round(good.seconds, 3)
            report["refuses_a_hole"] = hole.layer == "axioms"
    except Unjudged as error:
        report["error"] = str(error)
    fine = bool(report.get("step") and report.get("accepts_a_proof") and report.get("refuses_a_hole"))
    if as_json:
        print(json.dumps({**report, "fine": fine}, indent=2))
    else:
        for key, value in report.items():
            print(f"{key.replace('_', ' ')}: {value}")
    if not fine:
        raise typer.Exit(1)
