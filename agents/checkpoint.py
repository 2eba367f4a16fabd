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


def load(path: Path) -> dict[str, Any]:
    """Read what `save` wrote. Only tensors and plain data are admitted, never arbitrary objects.

    Raises:
        BadInput: If there is no checkpoint, or it cannot be read.
    """
    if not path.is_file():
        raise BadInput(f"nothing to resume: no checkpoint at {path}")
    try:
        state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        raise BadInput(f"the checkpoint {path} cannot be read: {str(error).splitlines()[0]}") from error
    return state
