"""The table of environments: one line each, sorted, importable without importing any of them.

Third parties add theirs through the entry-point group `proofgym.envs`, whose value is an iterable of `EnvEntry`.
"""

from __future__ import annotations

import difflib
import functools
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from importlib.metadata import entry_points
from typing import Any

import gymnasium
from gymnasium.vector import VectorEnv

from proofgym.envs.puzzles.families import FAMILIES
from proofgym.errors import UnknownEnv

__all__ = ["ENTRIES", "EnvEntry", "find", "list_envs", "make", "make_vec", "register_all"]


@dataclass(frozen=True, slots=True)
class EnvEntry:
    """One environment.

    Args:
        id: `proofgym/<Name>-v<N>`. Any change to questions or rewards is a new N.
        target: `module:Class`, imported when the environment is made.
        domain: Which chapter of the documentation: math, code, proof, puzzles, worlds.
        summary: One sentence, shown by `proofgym list`.
        max_turns: Actions before truncation; 1 for a single answer.
        needs: Extras that it cannot work without.
        kwargs: Arguments that the constructor gets.
    """

    id: str
    target: str
    domain: str
    summary: str
    max_turns: int = 1
    needs: tuple[str, ...] = ()
    kwargs: Mapping[str, Any] = field(default_factory=dict)


_BY_HAND: tuple[EnvEntry, ...] = (
    EnvEntry(
        "proofgym/Algebra-v0", "proofgym.envs.math.algebra:Algebra", "math",
        "Solve equations, systems and inequalities; work with polynomials.",
    ),
    EnvEntry(
        "proofgym/Arithmetic-v0", "proofgym.envs.math.arithmetic:Arithmetic", "math",
        "Evaluate an expression; every line of working that follows is paid.",
    ),
    EnvEntry(
        "proofgym/Calculus-v0", "proofgym.envs.math.calculus:Calculus", "math",
        "Find derivatives, integrals, limits, tangents and critical points.",
    ),
    EnvEntry(
        "proofgym/CodeContest-v0", "proofgym.envs.code.contest:CodeContest", "code",
        "Write a program for a contest problem; checkers decide where many answers are right.",
    ),
    EnvEntry(
        "proofgym/CodeDataset-v0", "proofgym.envs.code.dataset:CodeDataset", "code",
        "Rows of HumanEval, MBPP, APPS, TACO, LiveCodeBench, CodeContests and the like, from a file or the hub.",
    ),
    EnvEntry(
        "proofgym/CodeFunction-v0", "proofgym.envs.code.function:CodeFunction", "code",
        "Write a function or a class from its specification; hidden cases judge it.",
    ),
    EnvEntry(
        "proofgym/CodeOptimize-v0", "proofgym.envs.code.optimize:CodeOptimize", "code",
        "Do the same as a slow program in a third of its processor time.",
    ),
    EnvEntry(
        "proofgym/CodeRepair-v0", "proofgym.envs.code.repair:CodeRepair", "code",
        "Repair a mutated program over several turns, paid by the tests that each turn wins.", max_turns=6,
    ),
    EnvEntry(
        "proofgym/CodeTranslate-v0", "proofgym.envs.code.translate:CodeTranslate", "code",
        "Write a Python program in C, C++, Rust, Go, Java or JavaScript.",
    ),
    EnvEntry(
        "proofgym/Combinatorics-v0", "proofgym.envs.math.combinatorics:Combinatorics", "math",
        "Count selections, arrangements, paths, distributions and multiples.",
    ),
    EnvEntry(
        "proofgym/CoqProof-v0", "proofgym.envs.prover.coq:CoqProof", "proof",
        "Prove a theorem in Coq in one script; messages come back for another try.", max_turns=4, needs=("coq",),
    ),
    EnvEntry(
        "proofgym/CoqTactic-v0", "proofgym.envs.prover.coq:CoqTactic", "proof",
        "Prove a theorem in Coq tactic by tactic, paid by the goals that are left.", max_turns=32, needs=("coq",),
    ),
    EnvEntry(
        "proofgym/CraftingWorld-v0", "proofgym.envs.worlds.crafting:Crafting", "worlds",
        "Gather and craft by recipes, or say that it cannot be done.", max_turns=80,
    ),
    EnvEntry(
        "proofgym/DataWrangle-v0", "proofgym.envs.code.wrangle:DataWrangle", "code",
        "Write a function that makes one table out of two; judged by value.",
    ),
    EnvEntry(
        "proofgym/GSM8K-v0", "proofgym.envs.math.gsm8k:GSM8K", "math",
        "Grade-school word problems from a JSON Lines file or the hub.",
    ),
    EnvEntry(
        "proofgym/Geometry-v0", "proofgym.envs.math.geometry:Geometry", "math",
        "Find lengths, points, areas, angles and lines.",
    ),
    EnvEntry(
        "proofgym/GridMission-v0", "proofgym.envs.worlds.grid:GridMission", "worlds",
        "Do a mission on a grid of rooms with doors and keys, seen from where one stands.", max_turns=128,
    ),
    EnvEntry(
        "proofgym/Household-v0", "proofgym.envs.worlds.household.environment:HouseholdEnv", "worlds",
        "Search a house and do a task in it, by ALFWorld's rules.", max_turns=50,
    ),
    EnvEntry(
        "proofgym/HouseholdPlus-v0", "proofgym.envs.worlds.household.environment:HouseholdPlus", "worlds",
        "Household tasks that ALFWorld has not: two goals, slices, containers, counting, locked safes.", max_turns=100,
    ),
    EnvEntry(
        "proofgym/Lab-v0", "proofgym.envs.worlds.lab:Lab", "worlds",
        "Do an experiment in a laboratory of five rooms: heat, mix, grow, wire, measure, sort.", max_turns=100,
    ),
    EnvEntry(
        "proofgym/LeanProof-v0", "proofgym.envs.prover.lean:LeanProof", "proof",
        "Prove a theorem in Lean 4 in one script; messages come back for another try.", max_turns=4, needs=("lean",),
    ),
    EnvEntry(
        "proofgym/LeanTactic-v0", "proofgym.envs.prover.lean:LeanTactic", "proof",
        "Prove a theorem in Lean 4 tactic by tactic, paid by the goals that are left.", max_turns=32, needs=("lean",),
    ),
    EnvEntry(
        "proofgym/LinearAlgebra-v0", "proofgym.envs.math.linear_algebra:LinearAlgebra", "math",
        "Work out determinants, products, inverses, eigenvalues and projections.",
    ),
    EnvEntry(
        "proofgym/MathCalculator-v0", "proofgym.envs.math.calculator:MathCalculator", "math",
        "Word problems and number theory with a calculator to call.", max_turns=12,
    ),
    EnvEntry(
        "proofgym/MathDataset-v0", "proofgym.envs.math.dataset:MathDataset", "math",
        "Rows of MATH, AIME, AMC, NuminaMath, BigMath and the like, from a file or the hub.",
    ),
    EnvEntry(
        "proofgym/MathTutor-v0", "proofgym.envs.math.tutor:MathTutor", "math",
        "Derive a solution one step a turn, paid by the steps that are left.", max_turns=16,
    ),
    EnvEntry(
        "proofgym/NumberTheory-v0", "proofgym.envs.math.number_theory:NumberTheory", "math",
        "Find divisors, residues, inverses and solutions of congruences.",
    ),
    EnvEntry(
        "proofgym/Probability-v0", "proofgym.envs.math.probability:Probability", "math",
        "Find exact probabilities and expected values.",
    ),
    EnvEntry(
        "proofgym/PuzzleMix-v0", "proofgym.envs.puzzles.mix:PuzzleMix", "puzzles",
        "Puzzles of many families, drawn by weight and level.", max_turns=400,
    ),
    EnvEntry(
        "proofgym/Quest-v0", "proofgym.envs.worlds.quest:Quest", "worlds",
        "Find a treasure, deliver things or cook a meal in a house of rooms, doors and keys.", max_turns=100,
    ),
    EnvEntry(
        "proofgym/ReasoningGym-v0", "proofgym.envs.puzzles.reasoning_gym:ReasoningGym", "puzzles",
        "Items of reasoning-gym's data sets, with our seeds, splits and scoring.", needs=("reasoning-gym",),
    ),
    EnvEntry(
        "proofgym/RepoRepair-v0", "proofgym.envs.code.repository:RepoRepair", "code",
        "Resolve an issue in a small repository with tools; scripts never shown judge it.", max_turns=24,
    ),
    EnvEntry(
        "proofgym/RunningTotal-v0", "proofgym.envs.math.running_total:RunningTotal", "math",
        "Ten dependent steps: add digits one at a time, modulo 10; every step that follows is paid.",
    ),
    EnvEntry(
        "proofgym/SecurityRepair-v0", "proofgym.envs.code.security:SecurityRepair", "code",
        "Close a security hole, so that attacks fail and ordinary calls still work.", max_turns=4,
    ),
    EnvEntry(
        "proofgym/Sudoku4-v0", "proofgym.envs.puzzles.sudoku:Sudoku4", "puzzles",
        "Fill a 4x4 sudoku in one answer.",
    ),
    EnvEntry(
        "proofgym/Sudoku4Steps-v0", "proofgym.envs.puzzles.sudoku:Sudoku4Steps", "puzzles",
        "Solve a 4x4 sudoku one cell a turn, paid by exact distance to the solution.", max_turns=40,
    ),
    EnvEntry(
        "proofgym/SudokuSteps-v0", "proofgym.envs.puzzles.sudoku:Sudoku4Steps", "puzzles",
        "The former name of Sudoku4Steps-v0; it stays for one release.", max_turns=40,
    ),
    EnvEntry(
        "proofgym/ToyProof-v0", "proofgym.envs.prover.toy:ToyProof", "proof",
        "Prove a theorem of first-order logic by natural deduction; no prover to install.", max_turns=24,
    ),
    EnvEntry(
        "proofgym/WebShop-v0", "proofgym.envs.worlds.shop:WebShop", "worlds",
        "Search a catalogue and buy what was asked for.", max_turns=20,
    ),
    EnvEntry(
        "proofgym/WordProblem-v0", "proofgym.envs.math.word_problem:WordProblem", "math",
        "Solve word problems, some of whose facts do not matter.",
    ),
    EnvEntry(
        "proofgym/external.ALFWorld-v0", "proofgym.envs.worlds.external.alfworld:ALFWorld", "worlds",
        "Household tasks in the real ALFWorld engine.", max_turns=50, needs=("alfworld",),
    ),
    EnvEntry(
        "proofgym/external.BabyAI-v0", "proofgym.envs.worlds.external.babyai:BabyAI", "worlds",
        "BabyAI's missions on MiniGrid, told in text.", max_turns=128, needs=("minigrid",),
    ),
    EnvEntry(
        "proofgym/external.Control-v0", "proofgym.envs.worlds.external.control:Control", "worlds",
        "MuJoCo's control tasks, told and steered in numbers.", max_turns=60, needs=("mujoco",),
    ),
    EnvEntry(
        "proofgym/external.Jericho-v0", "proofgym.envs.worlds.external.jericho:Jericho", "worlds",
        "Interactive fiction from the user's story files.", max_turns=200, needs=("jericho",),
    ),
    EnvEntry(
        "proofgym/external.ScienceWorld-v0", "proofgym.envs.worlds.external.scienceworld:ScienceWorld", "worlds",
        "Experiments in the real ScienceWorld.", max_turns=100, needs=("scienceworld",),
    ),
    EnvEntry(
        "proofgym/external.TextWorld-v0", "proofgym.envs.worlds.external.textworld:TextWorld", "worlds",
        "Quests in generated games of the real TextWorld.", max_turns=50, needs=("textworld",),
    ),
    EnvEntry(
        "proofgym/external.TextWorldExpress-v0", "proofgym.envs.worlds.external.textworld_express:TextWorldExpress",
        "worlds", "Games of the real TextWorldExpress.", max_turns=50, needs=("textworld-express",),
    ),
    EnvEntry(
        "proofgym/import.Gem-v0", "proofgym.adapters.imports.gem:Gem", "imports",
        "An environment of GEM, with our splits and forks.", max_turns=50, needs=("gem",),
    ),
    EnvEntry(
        "proofgym/import.OpenEnv-v0", "proofgym.adapters.imports.openenv:OpenEnv", "imports",
        "An environment behind an OpenEnv server, named by its address.", max_turns=50, needs=("openenv",),
    ),
    EnvEntry(
        "proofgym/import.TextArena-v0", "proofgym.adapters.imports.textarena:TextArena", "imports",
        "A game of TextArena for one player, with our splits and forks.", max_turns=50, needs=("textarena",),
    ),
    EnvEntry(
        "proofgym/import.Verifiers-v0", "proofgym.adapters.imports.verifiers:VerifiersTaskset", "imports",
        "A taskset of verifiers, scored by its own rewards.", needs=("verifiers",),
    ),
)  # fmt: skip


def _puzzles() -> Iterator[EnvEntry]:
    """Two entries or one for each puzzle family."""
    made = "proofgym.envs.puzzles.environments"
    for family in FAMILIES:
        if family.single_name:
            name = family.single_name
            yield EnvEntry(f"proofgym/{name}-v0", f"{made}:{name}", "puzzles", family.summary, needs=family.needs)
        if family.steps_name:
            name = family.steps_name
            summary = family.summary if family.forms == "steps" else f"{family.summary[:-1]}, one move a turn."
            env_id = f"proofgym/{name}-v{family.steps_version}"
            yield EnvEntry(env_id, f"{made}:{name}", "puzzles", summary, family.turns, family.needs)


ENTRIES: tuple[EnvEntry, ...] = tuple(sorted([*_BY_HAND, *_puzzles()], key=lambda entry: entry.id))

_plugins: dict[str, EnvEntry] = {}


def register_all() -> None:
    """Put our table and every installed plug-in's into Gymnasium's registry; a second call changes nothing."""
    for entry in ENTRIES:
        _register(entry)
    for point in entry_points(group="proofgym.envs"):
        try:
            for entry in point.load():
                _register(entry)
                _plugins[entry.id] = entry
        except Exception as error:  # a stranger's package must not break `import proofgym`
            warnings.warn(f"the proofgym.envs plug-in {point.value!r} could not be loaded: {error}", stacklevel=2)


def _register(entry: EnvEntry) -> None:
    if entry.id not in gymnasium.registry:
        gymnasium.register(entry.id, entry_point=entry.target, kwargs={**entry.kwargs, "max_turns": entry.max_turns})


def list_envs(domain: str | None = None) -> list[EnvEntry]:
    """Every registered entry, ours and the plug-ins', sorted by id.

    >>> [entry.id for entry in list_envs("proof")][:2]
    ['proofgym/CoqProof-v0', 'proofgym/CoqTactic-v0']
    """
    entries = {entry.id: entry for entry in ENTRIES} | _plugins
    return sorted((e for e in entries.values() if domain in (None, e.domain)), key=lambda entry: entry.id)


def find(env_id: str) -> EnvEntry:
    """The entry of an id; the prefix `proofgym/` and the version may be left out.

    Raises:
        UnknownEnv: With the nearest id.

    >>> find("Countdown").id
    'proofgym/Countdown-v0'
    >>> find("proofgym/Sudoku4-v1")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    proofgym.errors.UnknownEnv: no environment 'proofgym/Sudoku4-v1' among ...; did you mean 'proofgym/Sudoku4-v0'?
    """
    entries = {entry.id: entry for entry in list_envs()}
    name = env_id.removeprefix("proofgym:")
    if name in entries:
        return entries[name]
    matches = [
        i for i in entries if name in (i.split("/")[-1], i.split("/")[-1].rsplit("-v", 1)[0], i.rsplit("-v", 1)[0])
    ]
    if matches:
        return entries[max(matches, key=lambda i: int(i.rsplit("-v", 1)[1]))]
    close = difflib.get_close_matches(name, entries, n=1, cutoff=0.4)
    hint = f"did you mean {close[0]!r}?" if close else "`proofgym list` shows them all"
    raise UnknownEnv(f"no environment {env_id!r} among {len(entries)}; {hint}")


def make(env_id: str, *, reward: Any = None, **kwargs: Any) -> gymnasium.Env[str, str]:
    """`gymnasium.make` for our ids, also without the prefix, with an error that names the nearest id.

    Args:
        env_id: Ours, or any that Gymnasium knows.
        reward: What it pays instead of its own, such as `"correctness + 0.1*format[think] if correct"`; see
            `proofgym.envs.rewards`.
        kwargs: Arguments of the environment.
    Raises:
        UnknownEnv: If there is no such environment.
        BadInput: If the reward cannot be read.
    """
    made = gymnasium.make(env_id if env_id in gymnasium.registry else find(env_id).id, **kwargs)
    if reward is None:
        return made
    from proofgym.envs.rewards.compose import ComposedReward

    return ComposedReward(made, reward)


def make_vec(
    env_id: str, num_envs: int, *, vectorization_mode: str = "sync", reward: Any = None, **kwargs: Any
) -> VectorEnv:
    """`gymnasium.make_vec` with defaults that suit text; `reward` as for `make`.

    A fault in one episode masks that episode (see `MaskUnjudged`) and leaves its neighbours alone.
    """
    from proofgym.envs.wrappers import MaskUnjudged

    env_id = env_id if env_id in gymnasium.registry else find(env_id).id
    wrappers = [*kwargs.pop("wrappers", ()), MaskUnjudged]  # outermost, so that a wrapper's fault is masked too
    if reward is not None:
        from proofgym.envs.rewards.compose import ComposedReward

        wrappers.insert(0, functools.partial(ComposedReward, reward=reward))
    return gymnasium.make_vec(env_id, num_envs, vectorization_mode=vectorization_mode, wrappers=wrappers, **kwargs)
