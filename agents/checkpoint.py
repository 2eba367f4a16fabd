"""A run's state in one file, written beside and moved into place, so that a kill at any moment leaves a whole one."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import torch

from proofgym.errors import BadInput

__all__ = ["load", "save"]


def save(path: Path, state: dict[str, Any]) -> None:
    """Write tensors, numbers and texts; the old checkpoint stays whole until the new one is."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_suffix(".part")
    with beside.open("wb") as file:
        torch.save(state, file)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)


def load(path: Path, *, world: int | None = None) -> dict[str, Any]:
    """Read what `save` wrote. Only tensors and plain data are admitted, never arbitrary objects.

    Args:
        world: How many processes want to go on from it; None if that does not matter.
    Raises:
        BadInput: If there is no checkpoint, it cannot be read, or it is of another number of processes.
    """
    if not path.is_file():
        raise BadInput(f"nothing to resume: no checkpoint at {path}")
    try:
        state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        raise BadInput(f"the checkpoint {path} cannot be read: {str(error).splitlines()[0]}") from error
    if world is not None and state.get("world", 1) != world:
        raise BadInput(
            f"{path} was written by {state.get('world', 1)} process(es) and {world} want to go on; start as many again"
        )
    return state
