"""Evaluate, compare, audit, report: figures with intervals, and pages to read episodes on."""

if __name__ != "proofgym.bench":
    raise ImportError(
        f"this folder is `proofgym.bench`; install proofgym and import it by that name, not as {__name__!r}"
    )

import importlib
import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from proofgym.bench import audit as audit  # a package that can be called
    from proofgym.bench.compare import compare
    from proofgym.bench.evaluate import evaluate

__all__ = ["audit", "compare", "evaluate"]

_DOORS = frozenset({"compare", "evaluate"})


class _Package(ModuleType):
    """Keeps the doors functions: importing the module of the same name would put the module in the function's place."""

    def __setattr__(self, name: str, value: Any) -> None:
        super().__setattr__(name, getattr(value, name) if name in _DOORS and isinstance(value, ModuleType) else value)


sys.modules[__name__].__class__ = _Package


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module = importlib.import_module(f"{__name__}.{name}")
    return getattr(module, name) if name in _DOORS else module
