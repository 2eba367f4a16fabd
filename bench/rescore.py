"""`proofgym rescore RUN --verifier SPEC`: judge stored episodes anew, without any model, and see what flips.

    env                     replay the stored actions in today's environment, made with the run's settings
    module:function         a verifier of your own: (task, answer) -> Verdict
    file.py:function        the same from a file

A verifier of your own gets the last action of an episode, and a task with `env`, `seed`, `index`, `question` (the first
observation) and what `info["task"]` shows; and `instance`, the task's whole content with its answer, where today's
environment draws the same task again. An episode that can no longer be judged is unjudged, and counted apart.
"""

from __future__ import annotations

import importlib
import importlib.util
import json
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from proofgym.agents.rollout import Action, Item, reset_episode, step_episode
from proofgym.bench import rows as stored
from proofgym.bench import statistics, summary
from proofgym.bench.rows import Row
from proofgym.bench.statistics import Interval, Paired
from proofgym.bench.summary import EnvResult
from proofgym.envs import registry
from proofgym.envs.base import VerifiableEnv
from proofgym.envs.trajectory import Lines, Trajectory
from proofgym.errors import BadInput, ProofgymError, Unjudged
from proofgym.verifiers import Credit, Verdict

if TYPE_CHECKING:
    from rich.console import Console

__all__ = ["Flip", "Rescored", "rescore"]

Judge = Callable[[Mapping[str, Any], str], Verdict]
Place = tuple[str, int, int, int]


@dataclass(frozen=True, slots=True)
class Flip:
    """An episode that is judged otherwise now.

    Args:
        solved: Whether it is that the episode counts as solved, or no longer does; else only its score or status.
        before, after: Status, score and reason of both verdicts; None for an episode without one.
        correct: What a label says, if there is one.
    """

    env: str
    seed: int
    index: int
    sample: int
    solved: bool
    before: dict[str, Any] | None
    after: dict[str, Any] | None
    correct: bool | None = None

    @property
    def right(self) -> str:
        """Who was right, by the label: `before`, `after`, or empty if nobody knows."""
        if self.correct is None or not self.solved:
            return ""
        was = self.before is not None and self.before["status"] == "correct"
        return "before" if was == self.correct else "after"


@dataclass(slots=True)
class Rescored:
    """Both judgements of the same episodes.

    Args:
        run_dir: The new run, beside the old one.
        episodes: Stored episodes.
        flips: In the order of the files.
        paired: New reward minus old over episodes that were judged both times, clustered by task; None below two tasks.
        solved: The same for the share of solved episodes.
        newly_unjudged, newly_judged: Episodes that could be judged one time only; they are in no pair.
        faults: Why episodes could not be judged now, with how many.
        agreement: By `before` and `after`: how often the verdict agrees with the labels.
        results: The new run's figures.
    """

    run_dir: Path
    episodes: int = 0
    flips: list[Flip] = field(default_factory=list)
    paired: Paired | None = None
    solved: Paired | None = None
    newly_unjudged: int = 0
    newly_judged: int = 0
    broken: int = 0
    faults: dict[str, int] = field(default_factory=dict)
    agreement: dict[str, Interval] = field(default_factory=dict)
    results: list[EnvResult] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        """A plain dictionary."""
        plain = ("episodes", "newly_unjudged", "newly_judged", "broken", "faults")
        return {
            "run_dir": str(self.run_dir),
            **{key: getattr(self, key) for key in plain},
            "flips": [{**asdict(flip), "right": flip.right} for flip in self.flips],
            "paired": self.paired.to_json() if self.paired else None,
            "solved": self.solved.to_json() if self.solved else None,
            "agreement": {key: found.to_json() for key, found in self.agreement.items()},
        }


def rescore(
    run_dir: str | Path, verifier: str | Judge = "env", *, labels: Path | None = None, console: Console | None = None
) -> Rescored:
    """Judge every stored episode of a run anew.

    Args:
        run_dir: Where `proofgym eval` wrote.
        verifier: See the module; or the function itself. Its score
            becomes the reward of the whole episode.
        labels: A JSON Lines file of `{"env", "seed", "index", "sample", "correct"}`: what people know to be right.
        console: Where to show how far it is.
    Raises:
        BadInput: If there is no run, or the verifier or the labels cannot be used.
    """
    old = Path(run_dir)
    files = sorted(old.glob("episodes/*.jsonl"))
    if not files:
        raise BadInput(f"no episodes of a run at {old}; `proofgym eval` writes them to episodes/*.jsonl")
    config = _config(old)
    written = config.get("settings")
    settings: dict[str, Any] = written if isinstance(written, dict) else {}
    judge = None if verifier == "env" else load(verifier) if isinstance(verifier, str) else verifier
    known = _labels(labels) if labels is not None else {}
    stage = Stage(settings)
    found = Rescored(_beside(old))
    name = verifier if isinstance(verifier, str) else getattr(verifier, "__qualname__", "function")
    pairs: list[tuple[Row, Row]] = []
    (found.run_dir / "episodes").mkdir(parents=True)
    new_config = {**config, "kind": "eval", "rescored": {"run": str(old), "verifier": name}}
    (found.run_dir / "config.json").write_text(json.dumps(new_config, indent=2), encoding="utf-8")
    try:
        for file in files:
            lines = Lines(file)
            writer = stored.Writer(found.run_dir / "episodes" / file.name)
            for before in lines if console is None else _shown(lines, file, console):
                after = stage.replay(before) if judge is None else _judged(judge, stage, before)
                pairs.append((stored.row_of(before.to_json()), writer.add(after)))
                flip = _flip(before, after, known)
                if flip is not None:
                    found.flips.append(flip)
            writer.close()
            found.broken += len(lines.broken)
    finally:
        stage.close()
    _count(found, pairs, known)
    from proofgym.bench.evaluate import write_summary

    by_env: dict[str, list[Row]] = {}
    for _, row in pairs:
        by_env.setdefault(row.env, []).append(row)
    found.results = [summary.summarise(env, rows) for env, rows in by_env.items()]
    write_summary(found.run_dir, found.results, model=settings.get("model", ""), rescored=found.to_json())
    return found


def load(spec: str) -> Judge:
    """The function that `module:function` or `file.py:function` names.

    Raises:
        BadInput: If there is none.
    """
    where, colon, name = spec.rpartition(":")
    if not (where and colon and name):
        raise BadInput(f"a verifier is env, module:function or file.py:function, found {spec!r}")
    try:
        if where.endswith(".py"):
            if not Path(where).is_file():
                raise BadInput(f"no verifier at {where}: the file does not exist")
            about = importlib.util.spec_from_file_location("proofgym_rescore_verifier", where)
            assert about is not None
            assert about.loader is not None
            module = importlib.util.module_from_spec(about)
            sys.modules[about.name] = module
            about.loader.exec_module(module)
        else:
            module = importlib.import_module(where)
    except ProofgymError:
        raise
    except Exception as error:  # whatever somebody else's module does when it is read
        raise BadInput(f"the verifier {spec!r} could not be loaded ({type(error).__name__}: {error})") from error
    found = getattr(module, name, None)
    if not callable(found):
        raise BadInput(f"{where} has no function {name!r}")
    judge: Judge = found
    return judge


class Stage:
    """Today's environments, made with the run's settings when they are first needed."""

    def __init__(self, settings: Mapping[str, Any]) -> None:
        kwargs = settings.get("env_kwargs")
        self._kwargs = dict(kwargs) if isinstance(kwargs, dict) else {}
        self._split = settings.get("split", "train")
        self._made: dict[str, Any] = {}

    def env(self, env_id: str) -> Any:
        """The environment of an id.

        Raises:
            Unjudged: If it can no longer be made.
        """
        if env_id not in self._made:
            try:
                made: Any = registry.make(env_id, **self._kwargs)
                if isinstance(made.unwrapped, VerifiableEnv):
                    made.close()
                    made = registry.make(env_id, **self._kwargs, split=self._split)
            except (ProofgymError, TypeError) as error:
                raise Unjudged(f"{env_id} cannot be made with the run's settings ({error})") from error
            self._made[env_id] = made
        return self._made[env_id]

    def ask(self, episode: Trajectory) -> tuple[Trajectory, str]:
        """Today's empty episode of the same item, and its first observation.

        Raises:
            Unjudged: If the item is another task today, or cannot be asked.
        """
        item = Item(episode.seed, episode.index, episode.sample)
        fresh, observation = reset_episode(self.env(episode.env), item)
        if fresh.unjudged:
            raise Unjudged(fresh.fault)
        if fresh.task.get("fingerprint") != episode.task.get("fingerprint"):
            raise Unjudged("the item is another task today")
        return fresh, observation

    def replay(self, episode: Trajectory) -> Trajectory:
        """The same actions in today's environment."""
        again = replace(episode, turns=[], end="truncated", fault="")
        over = False
        try:
            if not episode.turns and episode.unjudged:
                raise Unjudged(episode.fault)
            fresh, observation = self.ask(episode)
            env = self.env(episode.env)
            for turn in episode.turns:
                action = Action(turn.action, turn.prompt_ids, turn.action_ids, turn.logprobs, turn.token_ends, turn.cut)
                now, over, observation = step_episode(env, observation, action, fresh)
                kept = ("policy_version", "anchor", "nodes", "tool_calls", "usage")
                again.turns.append(replace(now, **{key: getattr(turn, key) for key in kept}))
                if over:
                    break
            if not over and episode.unjudged:  # its model was lost in the middle, and nothing follows here either
                raise Unjudged(episode.fault)
            if not over and episode.verdict is not None:
                raise Unjudged("today's environment asks for more actions than were stored")
            again.end, again.fault = fresh.end, fresh.fault
        except Unjudged as error:
            again.turns, again.end, again.fault = list(episode.turns), "unjudged", str(error)
        return again

    def instance(self, episode: Trajectory) -> Any:
        """The content of the task, where today's environment draws the same one; else None."""
        try:
            self.ask(episode)
            task = getattr(self.env(episode.env).unwrapped, "task", None)
        except Unjudged:
            return None
        return getattr(task, "instance", None)

    def close(self) -> None:
        """Close all of them."""
        for env in self._made.values():
            env.close()


# Inside ---------------------------------------------------------------------------------------------------------------


def _shown(lines: Lines, file: Path, console: Console) -> Iterator[Trajectory]:
    """The episodes of a file, under a bar."""
    from rich.progress import track

    with file.open("rb") as content:
        total = sum(1 for _ in content)
    yield from track(lines, file.stem, total, console=console)


def _answered(episode: Trajectory) -> bool:
    """Whether the last action is an answer. Of an unjudged episode of many turns nobody knows."""
    return bool(episode.turns) and (not episode.unjudged or registry.find(episode.env).max_turns == 1)


def _judged(judge: Judge, stage: Stage, episode: Trajectory) -> Trajectory:
    """The episode with another verdict on its last action, whose score is the reward of the whole episode."""
    if not _answered(episode):
        return replace(episode)
    question = episode.turns[0].observation
    task = {**episode.task, "env": episode.env, "seed": episode.seed, "index": episode.index, "question": question}
    instance = stage.instance(episode)
    if instance is not None:
        task["instance"] = instance
    last = episode.turns[-1]
    try:
        verdict = judge(task, last.action)
        if not isinstance(verdict, Verdict):
            raise Unjudged(f"the verifier returned a {type(verdict).__name__}, not a Verdict")
    except Unjudged as error:
        return replace(episode, end="unjudged", fault=str(error))
    except Exception as error:  # somebody else's verifier broke: no score, and the reason is kept
        return replace(episode, end="unjudged", fault=f"the verifier failed ({type(error).__name__}: {error})")
    before = [replace(turn, reward=0.0, credits=[], verdict=None) for turn in episode.turns[:-1]]
    paid = [Credit(0, len(last.action), verdict.score, "verdict", "")]
    now = replace(last, reward=verdict.score, credits=paid, verdict=verdict)
    end = "terminated" if episode.unjudged else episode.end
    return replace(episode, turns=[*before, now], end=end, fault="")


def _flip(before: Trajectory, after: Trajectory, known: Mapping[Place, bool]) -> Flip | None:
    if before.unjudged or after.unjudged:
        return None
    old, new = before.verdict, after.verdict
    if (old.status if old else None, old.score if old else None) == (
        new.status if new else None,
        new.score if new else None,
    ):
        return None
    solved = bool(old and old.correct) != bool(new and new.correct)
    place = (before.env, before.seed, before.index, before.sample)
    return Flip(*place, solved, old.to_json() if old else None, new.to_json() if new else None, known.get(place))


def _count(found: Rescored, pairs: list[tuple[Row, Row]], known: Mapping[Place, bool]) -> None:
    found.episodes = len(pairs)
    both = [(a, b) for a, b in pairs if not a.unjudged and not b.unjudged]
    found.newly_unjudged = sum(b.unjudged and not a.unjudged for a, b in pairs)
    found.newly_judged = sum(a.unjudged and not b.unjudged for a, b in pairs)
    for _, row in pairs:
        if row.unjudged:
            found.faults[row.fault] = found.faults.get(row.fault, 0) + 1
    tasks = [f"{a.env} {a.task}" for a, _ in both]
    if len(set(tasks)) >= 2:
        found.paired = statistics.paired([a.reward for a, _ in both], [b.reward for _, b in both], tasks)
        found.solved = statistics.paired([float(a.solved) for a, _ in both], [float(b.solved) for _, b in both], tasks)
    told = [(a, b, known[place]) for a, b in both if (place := (a.env, *a.place)) in known]
    if told:
        for name, right in (
            ("before", [a.solved == correct for a, _, correct in told]),
            ("after", [b.solved == correct for _, b, correct in told]),
        ):
            found.agreement[name] = statistics.share(right, [f"{a.env} {a.task}" for a, _, _ in told])


def _labels(path: Path) -> dict[Place, bool]:
    known: dict[Place, bool] = {}
    for number, line in enumerate(_text_lines(path), start=1):
        if not line.strip():
            continue
        try:
            data = json.loads(line)
            place = (data["env"], data["seed"], data["index"], data.get("sample", 0))
            if type(data["correct"]) is not bool or not all(type(x) is int for x in place[1:]):
                raise TypeError("a field of the wrong kind")
        except (ValueError, KeyError, TypeError, RecursionError, AttributeError) as error:
            form = '{"env": ..., "seed": 0, "index": 0, "sample": 0, "correct": true}'
            raise BadInput(f"{path}, line {number}: a label is {form} ({error})") from error
        known[place] = data["correct"]
    return known


def _text_lines(path: Path) -> Iterator[str]:
    try:
        yield from path.read_text(encoding="utf-8").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"the labels at {path} cannot be read ({error})") from error


def _config(run_dir: Path) -> dict[str, Any]:
    try:
        data = json.loads((run_dir / "config.json").read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        raise BadInput(f"{run_dir}/config.json cannot be read ({error}); rescoring needs the run's settings") from error
    if not isinstance(data, dict):
        raise BadInput(f"{run_dir}/config.json holds no object; rescoring needs the run's settings")
    return data


def _beside(old: Path) -> Path:
    number = 1
    while (new := old.resolve().with_name(f"{old.resolve().name}-rescored-{number}")).exists():
        number += 1
    return new
