"""`proofgym eval`: how good a model is on environments, with intervals, every episode kept, nothing asked twice."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from proofgym.agents.rollout import Item, TextEnv, rollout
from proofgym.bench import rows as stored
from proofgym.bench import statistics, summary
from proofgym.bench.journal import Journal
from proofgym.bench.models import Client, contestant
from proofgym.bench.players import place
from proofgym.bench.rows import Row
from proofgym.bench.summary import EnvResult
from proofgym.chat import ApiModel, ChatModel
from proofgym.envs import registry
from proofgym.envs.base import VerifiableEnv
from proofgym.envs.trajectory import Trajectory
from proofgym.errors import BadInput

__all__ = ["EnvResult", "Summary", "evaluate", "summarise"]


@dataclass(frozen=True, slots=True)
class Summary:
    """The results, where every episode lies, and sentences about what is worth knowing beside the figures."""

    results: list[EnvResult] = field(default_factory=list)
    run_dir: Path = Path()
    notes: list[str] = field(default_factory=list)


def evaluate(
    env_ids: Sequence[str],
    model: str | ChatModel,
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
    tools: bool = False,
    system: str | None = None,
    client: Client | None = None,
    console: Console | None = None,
) -> Summary:
    """Let a model play `k` episodes on each of `n` held-out items of every environment.

    Args:
        env_ids: Ids, with or without prefix and version.
        model: See `proofgym.bench.models`, or a chat model of your own.
        n, k, seed, split: Items 0 to n − 1 of `seed` on `split`, each `k` times.
        run_dir: Where to write; a numbered folder below `runs/` by default.
        env_kwargs: For the constructor of every environment.
        temperature: Of sampling; more than one episode an item needs it above 0 to differ.
        max_tokens: The most tokens of one action; by default 256 where the answer is given at once and 32 where it is
            given turn by turn, and 2048 and 512 for models behind an API, which may think aloud first.
        batch_size: Episodes side by side.
        resume: Keep the episodes that are already in `run_dir` and play the rest; unjudged ones are played again.
        tools: Offer native tool calls where the environment has tools; for models behind an API.
        system: A system message; for models behind an API.
        client: Key, retries, timeout, rate and price of an endpoint.
    Raises:
        UnknownEnv, BadInput, MissingExtra: Before anything is played.
        ModelUnavailable: If an endpoint cannot be reached, before anything is played.
    """
    if n < 1 or k < 1 or batch_size < 1 or (max_tokens is not None and max_tokens < 1):
        raise BadInput(f"n, k, batch_size and max_tokens are at least 1, found {n}, {k}, {batch_size}, {max_tokens}")
    if resume and run_dir is None:
        raise BadInput("resuming needs the folder of the run: --run-dir DIR")
    name = model if isinstance(model, str) else f"chat:{model.name}"
    kwargs = {"split": split, **(env_kwargs or {})}
    entries = list({entry.id: entry for entry in map(registry.find, env_ids)}.values())
    slots = min(batch_size, n * k)
    makers = {entry.id: _makes(entry.id, kwargs, slots) for entry in entries}
    folder = run_dir or _new_folder(Path("runs"), f"eval-{name.split(':')[0]}")
    journal = Journal(folder / "replies.jsonl")
    who = contestant(
        model, temperature=temperature, seed=seed, slots=slots, tools=tools, system=system, client=client,
        journal=journal,
    )  # fmt: skip
    settings = {
        "model": name, "envs": [entry.id for entry in entries], "n": n, "k": k, "split": split,
        "seed": seed, "env_kwargs": dict(env_kwargs or {}), "temperature": temperature, "max_tokens": max_tokens,
        **({"tools": True} if tools else {}), **({"system": system} if system else {}),
    }  # fmt: skip
    config = {"kind": "eval", **_provenance(seed), "settings": settings}
    if who.chat is not None:
        config["client"] = asdict(client or Client())
    _may_claim(folder, config, resume)
    items = [Item(seed, index, sample) for index in range(n) for sample in range(k)]
    plans = {}
    for entry in entries:
        path = folder / "episodes" / f"{entry.id.split('/')[-1]}.jsonl"
        plans[entry.id] = (path, _kept(path, items) if resume else [])
    if any(len(kept) < len(items) for _, kept in plans.values()):
        try:
            who.check()
        except BaseException:
            who.close()
            raise
    _claim(folder, config)
    if resume:
        for path, kept in plans.values():
            _drop_others(path, kept)
        journal.load({place(env, item) for env, (_, kept) in plans.items() for item in _missing(items, kept)})
    notes = _notes(k, temperature, who.scripted, name)
    results = []
    columns = (
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TimeRemainingColumn(),
        TextColumn("{task.fields[running]}"),
    )  # fmt: skip
    try:
        with Progress(*columns, console=console or Console(stderr=True)) as progress:
            for entry in entries:
                path, kept = plans[entry.id]
                started = time.perf_counter()
                writer, running = stored.Writer(path, kept), _Running(kept)
                task = progress.add_task(entry.id, total=len(items), completed=len(kept), running=running.text())
                limit = max_tokens or _limit(entry.max_turns, chat=who.chat is not None)

                def done(episode: Trajectory, writer: Any = writer, running: Any = running, task: Any = task) -> None:
                    running.add(writer.add(episode))
                    fresh = {"running": running.text()} if running.due else {}
                    progress.update(task, advance=1, **fresh)

                try:
                    for _ in rollout(who.player(limit), makers[entry.id], _missing(items, kept), on_episode=done):
                        pass
                except KeyboardInterrupt:
                    raise KeyboardInterrupt(
                        f"{len(writer.rows)} of {len(items)} episodes of {entry.id} are kept in {folder}; the same "
                        f"command with --run-dir {folder} --resume asks only the rest"
                    ) from None
                finally:
                    writer.close()
                    for env in makers[entry.id]:
                        env.close()
                progress.update(task, running=running.text())
                rows = sorted(writer.rows, key=lambda row: row.place)
                results.append(summary.summarise(entry.id, rows, time.perf_counter() - started))
        journal.close(done=not any(result.unjudged for result in results))
    finally:
        journal.close(done=False)
        who.close()
    refused = sorted(who.chat.dropped) if isinstance(who.chat, ApiModel) else []
    if refused:
        notes.append(f"the endpoint does not take {' and '.join(refused)}: its own defaults held")
    write_summary(folder, results, model=name, notes=notes)
    return Summary(results, folder, notes)


def summarise(env: str, episodes: Sequence[Trajectory], seconds: float) -> EnvResult:
    """Means and intervals over the judged episodes of one environment."""
    return summary.summarise(env, stored.of_episodes(episodes), seconds)


def write_summary(folder: Path, results: Sequence[EnvResult], **more: Any) -> None:
    """Write `summary.json`; a kill at any moment leaves the old one or the new one."""
    costs = [result.cost_usd for result in results if result.cost_usd is not None]
    total = {
        "episodes": sum(result.n + result.unjudged for result in results),
        "unjudged": sum(result.unjudged for result in results),
        "prompt_tokens": sum(result.prompt_tokens for result in results),
        "completion_tokens": sum(result.completion_tokens for result in results),
        "cost_usd": sum(costs) if costs else None,
    }
    data = {**more, "results": [asdict(result) for result in results], "total": total}
    beside = folder / "summary.json.part"
    beside.write_text(json.dumps(data, indent=2), encoding="utf-8")
    beside.replace(folder / "summary.json")


# Inside ---------------------------------------------------------------------------------------------------------------


def _limit(max_turns: int, *, chat: bool) -> int:
    at_once, by_turns = (2048, 512) if chat else (256, 32)
    return at_once if max_turns == 1 else by_turns


def _notes(k: int, temperature: float, scripted: bool, name: str) -> list[str]:
    notes = []
    if k > 1 and temperature == 0 and not scripted and name != "random":
        notes.append(f"at temperature 0 the {k} attempts at a task are one attempt, or nearly: --temperature 1 differs")
    if name == "expert":
        notes.append("expert: the environment's own where it has one (Household), elsewhere the oracle")
    return notes


def _makes(env_id: str, kwargs: Mapping[str, Any], count: int) -> list[TextEnv]:
    """Environments side by side; a stranger's environment that knows no splits is told nothing."""
    plain = {key: value for key, value in kwargs.items() if key != "split"}
    first = registry.make(env_id, **plain)
    if isinstance(first.unwrapped, VerifiableEnv):
        first.close()
        return [registry.make(env_id, **kwargs) for _ in range(count)]
    return [first, *(registry.make(env_id, **plain) for _ in range(count - 1))]


class _Running:
    """The mean so far and its interval, for the progress line; computed twice a second at most."""

    def __init__(self, kept: Sequence[Row]) -> None:
        self.rewards: list[float] = []
        self.tasks: list[str] = []
        self.unjudged, self.cost, self._last = 0, 0.0, 0.0
        for row in kept:
            self.add(row)

    def add(self, row: Row) -> None:
        """Count one more episode."""
        if row.cost_usd == row.cost_usd:
            self.cost += row.cost_usd
        if row.unjudged:
            self.unjudged += 1
        else:
            self.rewards.append(row.reward)
            self.tasks.append(row.task)

    @property
    def due(self) -> bool:
        """Whether half a second has passed since the last text."""
        return time.monotonic() - self._last >= 0.5

    def text(self) -> str:
        """What the progress line says."""
        self._last = time.monotonic()
        said = []
        if self.rewards:
            found = statistics.mean_interval(self.rewards, self.tasks)
            known = f" [{found.low:.3f}, {found.high:.3f}]" if found.to_json()["low"] is not None else ""
            said.append(f"reward {found.mean:.3f}{known}")
        if self.unjudged:
            said.append(f"{self.unjudged} unjudged")
        if self.cost:
            said.append(f"${self.cost:.4f}")
        return " · ".join(said).replace("[", "\\[")


def _missing(items: Sequence[Item], kept: Sequence[Row]) -> list[Item]:
    done = {row.place for row in kept}
    return [item for item in items if (item.seed, item.index, item.sample) not in done]


def _kept(path: Path, items: Sequence[Item]) -> list[Row]:
    """The judged episodes of an interrupted run that belong to this one."""
    if not path.is_file():
        return []
    wanted = {(item.seed, item.index, item.sample) for item in items}
    found = stored.read(path, index=False).rows
    last = {row.place: row for row in found if not row.unjudged and row.place in wanted}
    return sorted(last.values(), key=lambda row: row.offset)


def _drop_others(path: Path, kept: Sequence[Row]) -> None:
    """Leave only the kept lines in the file: no half lines, no episodes that are played again."""
    if not path.is_file():
        return
    beside, offset = path.with_suffix(".part"), 0
    with path.open("rb") as old, beside.open("wb") as new:
        for row in kept:
            old.seek(row.offset)
            line = old.read(row.length).rstrip(b"\n") + b"\n"
            row.offset, row.length = offset, len(line)
            offset += new.write(line)
    beside.replace(path)  # a kill at any moment leaves the old file or the new one


def _new_folder(parent: Path, name: str) -> Path:
    number = 1
    while (parent / f"{name}-{number}").exists():
        number += 1
    return parent / f"{name}-{number}"


def _may_claim(folder: Path, config: Mapping[str, Any], resume: bool) -> None:
    path = folder / "config.json"
    if not path.is_file():
        if resume:
            raise BadInput(f"nothing to resume: {folder} holds no run")
        return
    if not resume:
        raise BadInput(f"{folder} already holds a run; go on with --resume, or choose another --run-dir")
    try:
        settings = json.loads(path.read_text(encoding="utf-8")).get("settings")
    except (ValueError, AttributeError) as error:
        raise BadInput(f"{path} cannot be read ({error}); its run cannot be resumed") from error
    if settings != json.loads(_json(config["settings"])):
        raise BadInput(f"{folder} holds a run with other settings; resume it with the same ones")


def _claim(folder: Path, config: Mapping[str, Any]) -> None:
    path = folder / "config.json"
    if not path.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        beside = folder / "config.json.part"
        beside.write_text(_json(config), encoding="utf-8")
        beside.replace(path)


def _json(data: Any) -> str:
    return json.dumps(data, indent=2, default=str)  # arguments of an environment may be paths


def _provenance(seed: int) -> Mapping[str, Any]:
    from proofgym.agents.recipe import provenance

    return provenance(seed)
