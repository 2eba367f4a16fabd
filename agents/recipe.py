"""`proofgym train`: a recipe in, a trained policy, its numbers and a report out."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from proofgym import __version__
from proofgym.errors import BadInput, need

__all__ = ["provenance", "rehearse", "train"]


def train(
    recipe: str | Path, *, overrides: Sequence[str] = (), run_dir: Path | None = None, resume: bool = False
) -> Path:
    """Train as a recipe says, from the warm start to the evaluation, and leave everything in the run's folder.

    Started by `torchrun`, all its processes train together; the first one writes.

    Args:
        recipe: The name of a shipped recipe, such as `demo`, or a path to a YAML file.
        overrides: `grpo.updates=20` and the like.
        run_dir: Where to write; `runs/NAME` by default.
        resume: Go on from the folder's last checkpoint with the recipe stored there.
    Returns:
        The run's folder: `config.json`, `metrics.jsonl`, `tensorboard/`, `episodes/`, `checkpoint.pt`, `policy/`,
        `summary.json`.
    Raises:
        BadInput: If the recipe cannot be used, the folder already holds a run, or there is nothing to resume.
        MissingExtra: If torch or transformers are not installed.
    """
    for module in ("torch", "transformers", "pydantic"):
        need(module, "train")
    from proofgym.agents.config import as_dict, load_recipe
    from proofgym.agents.distributed import World
    from proofgym.agents.log import RunLog
    from proofgym.agents.trainer import Trainer, seed_generators, summary

    plan = load_recipe(recipe, overrides)
    folder = run_dir or Path("runs") / plan.name
    config = folder / "config.json"
    world = World.join()
    if config.is_file() and not resume:
        raise BadInput(f"{folder} already holds a run; go on with --resume, or choose another --run-dir")
    if resume:
        if not config.is_file():
            raise BadInput(f"nothing to resume: {folder} holds no run")
        stored = json.loads(config.read_text(encoding="utf-8"))
        if stored.get("recipe") != json.loads(json.dumps(as_dict(plan))):
            raise BadInput(f"{folder} was started with another recipe; resume it with the same one, or start a new run")
    log = RunLog(folder, trackers=plan.loggers, silent=not world.first)
    seed_generators(plan.seed)
    trainer = Trainer(plan, log, world)
    world.wait()  # until everybody has seen that the folder is free
    with log:
        if resume:
            trainer.resume()
        elif world.first:
            _write(config, {"kind": "train", **provenance(plan.seed), "recipe": as_dict(plan)})
        try:
            trainer.run()
        except KeyboardInterrupt:
            raise KeyboardInterrupt(
                f"stopped in {trainer.stage}, step {trainer.step}; the same command with --run-dir {folder} --resume "
                "goes on from the last checkpoint"
            ) from None
    if world.first:
        _write(folder / "summary.json", summary(trainer))
    world.wait()
    world.leave()
    return folder


def rehearse(recipe: str | Path, *, overrides: Sequence[str] = ()) -> tuple[str, bool]:
    """Carry out every stage of a recipe once with a tiny model, and leave nothing behind; see `dry_run`.

    Returns:
        What was done or is missing, and whether nothing is.
    """
    for module in ("torch", "transformers", "pydantic"):
        need(module, "train")
    from proofgym.agents.dry_run import dry_run, report

    found = dry_run(recipe, overrides)
    return report(found), found.fine


def _write(path: Path, data: Mapping[str, Any]) -> None:
    beside = path.with_suffix(".part")  # moved into place: a killed run has a whole one or none
    beside.write_text(json.dumps(data, indent=2), encoding="utf-8")
    beside.replace(path)


def provenance(seed: int) -> Mapping[str, Any]:
    """Version, commit and seed, to be written beside results."""
    return {"version": __version__, "commit": _commit(), "seed": seed}


def _commit() -> str | None:
    """The checkout's commit, with a mark if files were changed; None outside a checkout."""
    here = Path(__file__).resolve().parent
    try:
        found = subprocess.run(
            ["git", "describe", "--always", "--dirty", "--abbrev=12"],  # noqa: S607
            cwd=here, capture_output=True, text=True, timeout=5, check=False,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired):
        return None
    return found.stdout.strip() or None
