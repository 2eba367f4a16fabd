"""Bugs in a repository: mutations of its modules that some scripts notice and others do not."""

from __future__ import annotations

import ast
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from proofgym.envs.code.mutation import mutated, sites
from proofgym.envs.code.templates import Repository
from proofgym.envs.code.templates.repository import Loaded

__all__ = ["Broken", "break_one"]

_SCRIPTS, _TRIES = 26, 60
_ROUNDS = 500_000
_LEAST_FAIL, _LEAST_PASS = 3, 9
_LOUD = frozenset({"NameError", "AttributeError", "TypeError", "UnboundLocalError", "RecursionError"})


@dataclass(frozen=True, slots=True)
class Broken:
    """A repository with bugs.

    Args:
        files: All modules, broken.
        gold: The modules that were changed, as they were.
        scripts: Script, right results, results now; what fails comes first.
        failing: How many of them fail.
    """

    files: Mapping[str, str]
    gold: Mapping[str, str]
    scripts: tuple[tuple[list[list[Any]], Any, Any], ...]
    failing: int


def break_one(repository: Repository, rng: np.random.Generator, bugs: int) -> Broken | None:
    """Plant bugs into different modules; None if no such bugs were found."""
    sound = {path: _plain(text) if path in repository.breakable else text for path, text in repository.files.items()}
    reference = Loaded(sound, repository.driver, _ROUNDS)
    scripts, right, rounds = _scripts(repository, reference)
    files, failed = dict(sound), [False] * len(scripts)
    for place in rng.permutation(len(repository.breakable))[:bugs]:
        path = repository.breakable[int(place)]
        found = _mutate(repository, files, path, scripts, right, failed, rounds, rng)
        if found is not None:
            files, failed = found
    bad, good = [n for n, f in enumerate(failed) if f], [n for n, f in enumerate(failed) if not f]
    if len(bad) < _LEAST_FAIL or len(good) < _LEAST_PASS:
        return None
    now = Loaded(files, repository.driver, rounds)
    rows = tuple(
        (scripts[n], right[n], now.run(scripts[n])) for n in (*sorted(bad, key=lambda n: len(scripts[n])), *good)
    )
    gold = {path: sound[path] for path in sound if files[path] != sound[path]}
    return Broken(files, gold, rows, len(bad))


def _plain(text: str) -> str:
    """A module as the printer of syntax trees writes it, so that a bug is the only difference."""
    return ast.unparse(ast.parse(text)) + "\n"


def _scripts(repository: Repository, reference: Loaded) -> tuple[list[list[list[Any]]], list[Any], int]:
    scripts: list[list[list[Any]]] = []
    right: list[Any] = []
    most = 0
    while len(scripts) < _SCRIPTS:
        script = json.loads(json.dumps(repository.script()))
        if script not in scripts:
            scripts.append(script)
            right.append(reference.run(script))
            most = max(most, reference.rounds)
    return scripts, right, 500 + 8 * most


def _mutate(
    repository: Repository,
    files: dict[str, str],
    path: str,
    scripts: list[list[list[Any]]],
    right: list[Any],
    failed: list[bool],
    rounds: int,
    rng: np.random.Generator,
) -> tuple[dict[str, str], list[bool]] | None:
    options = sites(files[path])
    for number in rng.permutation(len(options))[:_TRIES]:
        trial = {**files, path: mutated(files[path], options[int(number)]).source}
        try:
            loaded = Loaded(trial, repository.driver, rounds)
            results = _results(loaded, scripts, right)
        except Exception:  # noqa: S112 - a mutant that cannot even be loaded, or goes round for long, is no use
            continue
        if results is None:
            continue
        wrong = [got != wanted for got, wanted in zip(results, right, strict=True)]
        if _loud(results, right) or sum(wrong) < max(_LEAST_FAIL, sum(failed) + 1):
            continue
        if sum(not one for one in wrong) >= _LEAST_PASS:
            return trial, wrong
    return None


def _results(loaded: Loaded, scripts: list[list[list[Any]]], right: list[Any]) -> list[Any] | None:
    """What every script gives; None as soon as too many give something else than they should."""
    results: list[Any] = []
    left = len(scripts) - _LEAST_PASS
    for script, wanted in zip(scripts, right, strict=True):
        results.append(loaded.run(script))
        left -= results[-1] != wanted
        if left < 0:
            return None
    return results


def _loud(results: list[Any], right: list[Any]) -> bool:
    """Whether the bug only shows as a crash that names its own place; those are no search."""
    shown = [
        got
        for out, good in zip(results, right, strict=True)
        for got, want in zip(out, good, strict=True)
        if got != want
    ]
    return bool(shown) and all(isinstance(got, list) and got[:1] == ["error"] and got[1] in _LOUD for got in shown)
