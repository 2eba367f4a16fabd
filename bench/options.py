"""Options that several commands share: `--set KEY=VALUE`, `--data FILE`, `--price IN,OUT`."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from proofgym.errors import BadInput

__all__ = ["env_kwargs", "pair", "price"]


def pair(setting: str) -> tuple[str, str]:
    """The two sides of `KEY=VALUE`.

    >>> pair("level=0.5")
    ('level', '0.5')
    """
    key, equals, value = setting.partition("=")
    if not (key and equals):
        raise BadInput(f"--set takes KEY=VALUE, found {setting!r}")
    return key, value


def env_kwargs(settings: Sequence[str] | None, data: Path | None) -> dict[str, Any]:
    """The arguments of an environment: values are read as YAML, and a file of tasks is its `path`."""
    import yaml

    kwargs: dict[str, Any] = {}
    for key, value in map(pair, settings or ()):
        try:
            kwargs[key] = yaml.safe_load(value)
        except yaml.YAMLError as error:
            raise BadInput(f"the value of --set {key}=... is no YAML: {value!r}") from error
    return kwargs if data is None else {**kwargs, "path": str(data)}


def price(text: str | None) -> tuple[float, float] | None:
    """US dollars for a million tokens read and a million written.

    >>> price("0.5,1.5")
    (0.5, 1.5)
    """
    if text is None:
        return None
    parts = text.split(",")
    try:
        read, written = (float(part) for part in parts)
    except ValueError:
        raise BadInput(
            f"--price takes IN,OUT in dollars for a million tokens, such as 0.5,1.5; found {text!r}"
        ) from None
    if not all(math.isfinite(value) and value >= 0 for value in (read, written)):
        raise BadInput(f"prices are at least 0, found {text!r}")
    return read, written
