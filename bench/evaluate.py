"""`proofgym eval`: how good a model is on environments, with intervals, every episode kept, nothing asked twice."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from proofgym.agents.rollout import Item, Player, Streamer, TextEnv, rollout
from proofgym.agents.scripted import OraclePlayer, RandomPlayer
from proofgym.bench import statistics
from proofgym.envs import registry, trajectory
from proofgym.envs.base import VerifiableEnv
from proofgym.envs.trajectory import Trajectory
from proofgym.errors import BadInput, need

__all__ = ["EnvResult", "Summary", "evaluate", "player_for", "summarise"]


@dataclass(frozen=True, slots=True)
class EnvResult:
    """One model on one environment.

    Args:
        n: Judged episodes; `unjudged` ones are in no other number.
        mean, low, high: Reward an episode, with a 95 % interval clustered by task. None if nothing was judged.
        solved, solved_low, solved_high: Share of fully correct episodes, with a 95 % interval.
        turns, tokens: Mean an episode.
        seconds: Wall clock for the whole environment.
    """

    env: str
    n: int
    unjudged: int
    mean: float | None
    low: float | None
    high: float | None
    solved: float | None
    solved_low: float | None
    solved_high: float | None
    turns: float
    tokens: float
    seconds: float


@dataclass(frozen=True, slots=True)
class Summary:
    """The results and where every episode lies."""

    results: list[EnvResult] = field(default_factory=list)
    run_dir: Path = Path()


def evaluate(
    env_ids: Sequence[str],
    model: str,
    *,
    n: int = 100,
    k: int = 1,
    seed: int = 0,
    split: str = "test",
    run_dir: Path | None = None,
    env_kwargs: Mapping[str, Any] | None = None,
    temperature: float = 0.0,
    max_tokens: int | None = None,
    batch_size: int = 16,
    resume: bool = False,
    console: Console | None = None,
) -> Summary:
    """Let a model play `k` episodes on each of `n` held-out items of every environment.

    Args:
        env_ids: Ids, with or without prefix and version.
        model: `oracle`, `random`, `smollm2`, `hf:PATH` or `tiny:ALPHABET`.
        n, k, seed, split: Items 0 to n − 1 of `seed` on `split`, each `k` times.
        run_dir: Where to write; a numbered folder below `runs/` by default.
        env_kwargs: For the constructor of every environment.
        temperature: Of sampling; more than one episode an item needs it above 0 to differ.
        max_tokens: The most tokens of one action; by default 256 where the answer is given at once and 32 where it is
            given turn by turn.
        batch_size: Episodes side by side.
        resume: Keep the episodes that are already in `run_dir` and play the rest.
    Raises:
        UnknownEnv, BadInput, MissingExtra: Before anything is played.
    """
    if n < 1 or k < 1 or batch_size < 1:
        raise BadInput(f"n, k and batch_size are at least 1, found {n}, {k} and {batch_size}")
    if resume and run_dir is None:
        raise BadInput("resuming needs the folder of the run: --run-dir DIR")
    kwargs = {"split": split, **(env_kwargs or {})}
    entries = list({entry.id: entry for entry in map(registry.find, env_ids)}.values())
    makers = {entry.id: _makes(entry.id, kwargs, min(batch_size, n * k)) for entry in entries}
    player = player_for(model, temperature=temperature, seed=seed)
    folder = run_dir or _new_folder(Path("runs"), f"eval-{model.split(':')[0]}")
    settings = {
        "model": model, "envs": [entry.id for entry in entries], "n": n, "k": k, "split": split,
        "seed": seed, "env_kwargs": dict(env_kwargs or {}), "temperature": temperature, "max_tokens": max_tokens,
    }  # fmt: skip
    _claim(folder, {"kind": "eval", **_provenance(seed), "settings": settings}, resume)
    results = []
    console = console or Console(stderr=True)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, TextColumn("{task.fields[running]}"), console=console) as progress:
        for entry in entries:
            path = folder / "episodes" / f"{entry.id.split('/')[-1]}.jsonl"
            started = time.perf_counter()
            items = [Item(seed, index, sample) for index in range(n) for sample in range(k)]
            kept = _kept(path, items) if resume else []
            done = {(episode.index, episode.sample) for episode in kept}
            task = progress.add_task(entry.id, total=len(items), completed=len(kept), running="")
            played: list[Trajectory] = list(kept)
            todo = [item for item in items if (item.index, item.sample) not in done]
            try:
                limit = max_tokens or (256 if entry.max_turns == 1 else 32)
                for episode in rollout(player(limit), makers[entry.id], todo):
                    trajectory.write(path, [episode])
                    played.append(episode)
                    progress.update(task, advance=1, running=_running(played))
            except KeyboardInterrupt:
                raise KeyboardInterrupt(
                    f"{len(played)} of {len(items)} episodes of {entry.id} are kept in {folder}; the same command with "
                    f"--run-dir {folder} --resume asks only the rest"
                ) from None
            finally:
                for env in makers[entry.id]:
                    env.close()
            results.append(summarise(entry.id, played, time.perf_counter() - started))
    summary = Summary(results, folder)
    data = {"results": [asdict(result) for result in results]}
    (folder / "summary.json").write_text(json.dumps(data, indent=2), encoding="utf-8")
    return summary


def player_for(model: str, *, temperature: float, seed: int) -> Callable[[int], Player | Streamer]:
    """The player that a model's name stands for, once it is told how many tokens an action may have."""
    if model == "oracle":
        return lambda _: OraclePlayer()
    if model == "random":
        return lambda _: RandomPlayer(seed)
    need("torch", "train")
    from proofgym.agents.player import PolicyPlayer
    from proofgym.agents.policy import load
    from proofgym.agents.sampling import Sampling

    policy = load(model)
    return lambda max_tokens: PolicyPlayer(policy, Sampling(temperature, max_tokens), (seed,))


def summarise(env: str, episodes: Sequence[Trajectory], seconds: float) -> EnvResult:
    """Means and intervals over the judged episodes of one environment."""
    judged = [episode for episode in episodes if not episode.unjudged]
    unjudged = len(episodes) - len(judged)
    if not judged:
        return EnvResult(env, 0, unjudged, None, None, None, None, None, None, 0.0, 0.0, seconds)
    clusters = [str(episode.task.get("fingerprint", episode.index)) for episode in judged]
    reward = statistics.mean_interval([episode.reward for episode in judged], clusters).to_json()
    right = [episode.verdict is not None and episode.verdict.correct for episode in judged]
    solved = statistics.share(right, clusters).to_json()
    turns = sum(len(episode.turns) for episode in judged) / len(judged)
    tokens = sum(len(turn.action_ids) for episode in judged for turn in episode.turns) / len(judged)
    return EnvResult(
        env, len(judged), unjudged, reward["mean"], reward["low"], reward["high"],
        solved["mean"], solved["low"], solved["high"], turns, tokens, seconds,
    )  # fmt: skip


def _makes(env_id: str, kwargs: Mapping[str, Any], count: int) -> list[TextEnv]:
    """Environments side by side; a stranger's environment that knows no splits is told nothing."""
    plain = {key: value for key, value in kwargs.items() if key != "split"}
    first = registry.make(env_id, **plain)
    if isinstance(first.unwrapped, VerifiableEnv):
        first.close()
        return [registry.make(env_id, **kwargs) for _ in range(count)]
    return [first, *(registry.make(env_id, **plain) for _ in range(count - 1))]


def _running(episodes: Sequence[Trajectory]) -> str:
    judged = [episode.reward for episode in episodes if not episode.unjudged]
    faults = len(episodes) - len(judged)
    text = f"reward {sum(judged) / len(judged):.3f}" if judged else ""
    return f"{text} · {faults} unjudged" if faults else text


def _kept(path: Path, items: Sequence[Item]) -> list[Trajectory]:
    """The judged episodes of an interrupted run that belong to this one; unjudged ones are played again."""
    if not path.is_file():
        return []
    wanted = {(item.seed, item.index, item.sample) for item in items}
    found = {(e.seed, e.index, e.sample): e for e in trajectory.Lines(path) if not e.unjudged}
    kept = [episode for place, episode in found.items() if place in wanted]
    beside = path.with_suffix(".part")
    beside.unlink(missing_ok=True)
    trajectory.write(beside, kept)
    beside.replace(path)  # a kill at any moment leaves the old file or the new one
    return kept


def _new_folder(parent: Path, name: str) -> Path:
    number = 1
    while (parent / f"{name}-{number}").exists():
        number += 1
    return parent / f"{name}-{number}"


def _claim(folder: Path, config: Mapping[str, Any], resume: bool) -> None:
    path = folder / "config.json"
    if path.is_file():
        if not resume:
            raise BadInput(f"{folder} already holds a run; go on with --resume, or choose another --run-dir")
        if json.loads(path.read_text(encoding="utf-8")).get("settings") != json.loads(_json(config["settings"])):
            raise BadInput(f"{folder} holds a run with other settings; resume it with the same ones")
        return
    if resume:
        raise BadInput(f"nothing to resume: {folder} holds no run")
    folder.mkdir(parents=True, exist_ok=True)
    path.write_text(_json(config), encoding="utf-8")


def _json(data: Any) -> str:
    return json.dumps(data, indent=2, default=str)  # arguments of an environment may be paths


def _provenance(seed: int) -> Mapping[str, Any]:
    from proofgym.agents.recipe import provenance

    return provenance(seed)
