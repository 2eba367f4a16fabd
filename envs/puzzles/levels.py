"""Every family's knobs, levels and measured hardness as one table, for samplers that walk up and for people.

The measurements are stored in `levels.json` beside this module (`python docs/make_puzzles.py --measure` writes it), so
that reading the table draws nothing and imports no family.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from proofgym.envs.puzzles.contract import Knob
from proofgym.envs.puzzles.families import FAMILIES, family
from proofgym.errors import BadInput

__all__ = ["LEVELS", "level_for", "measure", "table"]

LEVELS = (0.0, 0.25, 0.5, 0.75, 1.0)

_STORED = Path(__file__).with_name("levels.json")


def measure(name: str, *, count: int = 40) -> dict[str, Any]:
    """Draw instances at each of `LEVELS` and say how hard they are, in the family's own unit.

    Returns:
        Knobs as `{name: {easy, hard, meaning}}` (or their values), the unit, and for each level the mean and the
        tenth, middle and ninetieth percentile of the measured hardness.
    """
    kind = family(name)
    knobs: dict[str, Any] = {}
    for key, knob in kind.knobs.items():
        if isinstance(knob, Knob):
            knobs[key] = {"easy": knob.easy, "hard": knob.hard, "meaning": knob.meaning}
        else:
            knobs[key] = {"values": list(knob.values), "meaning": knob.meaning}
    hardness = {}
    for level in LEVELS:
        settings = kind.settings(level)
        drawn = [kind.generate(np.random.default_rng([2026, i]), settings).hardness() for i in range(count)]
        low, middle, high = np.percentile(drawn, (10, 50, 90)).tolist()
        numbers = {"mean": float(np.mean(drawn)), "p10": low, "p50": middle, "p90": high}
        hardness[str(level)] = {key: float(f"{value:.4g}") for key, value in numbers.items()}
    return {"family": kind.family, "knobs": knobs, "hardness_of": kind.hardness_of, "hardness": hardness}


@cache
def _stored() -> Mapping[str, Any]:
    stored: dict[str, Any] = json.loads(_STORED.read_text(encoding="utf-8"))
    return stored


def table() -> list[dict[str, Any]]:
    """One row a family: names of its environments, kind, summary, knobs, and the measured hardness by level."""
    return [
        {
            "name": entry.name,
            "kind": entry.kind,
            "summary": entry.summary,
            "environments": [name for name in (entry.single_name, entry.steps_name) if name],
            "turns": entry.turns if entry.steps_name else 1,
            **_stored()[entry.name],
        }
        for entry in FAMILIES
    ]


def level_for(name: str, hardness: float) -> float:
    """The level at which a family's mean hardness is about this, between the levels that were measured.

    Raises:
        BadInput: For an unknown family.

    >>> 0.0 < level_for("LightsOut", 5.0) < 1.0
    True
    """
    row = _stored().get(name)
    if row is None:
        family(name)  # an unknown name is answered with the nearest
        raise BadInput(f"the hardness of {name} has not been measured; use the table's own spelling")
    means = np.maximum.accumulate([row["hardness"][str(level)]["mean"] for level in LEVELS])
    return float(np.interp(hardness, means, LEVELS))
