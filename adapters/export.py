"""Tasks as a data set for another trainer: Parquet or JSON Lines, the same bytes for the same arguments.

A row shows the prompt and names the item by environment, arguments, seed and index; whoever scores it asks the item
again (`proofgym.adapters.rows`). No row holds an answer. Row *j* of a file of *E* environments is item *j // E* of
environment *j mod E*, so a longer file begins with the shorter one.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, Literal, get_args

from proofgym.adapters.rows import Row, rows
from proofgym.adapters.skyrl import ENV_CLASS
from proofgym.envs.registry import find
from proofgym.envs.task import SPLITS, Split, canonical_json
from proofgym.errors import BadInput, need

__all__ = ["FORMATS", "Export", "Format", "Written", "export", "shaped"]

Format = Literal["trl", "verl", "openrlhf", "skyrl", "nemo"]
FORMATS: tuple[Format, ...] = get_args(Format)

_CHUNK = 256  # rows drawn by one job, and rows of one group of a Parquet file
_OTHER_WORDS = {"train": ("train",), "validation": ("validation", "valid", "val", "dev"), "test": ("test", "heldout")}


@dataclass(frozen=True, slots=True)
class Export:
    """What a file holds.

    Args:
        envs: Ids; the prefix and the version may be left out.
        n: Rows in all.
        format: Whose columns.
        split: Which tasks.
        seed: Which stream of tasks.
        system: A system message to put first.
        env_kwargs: What every environment is made with.
    Raises:
        BadInput: If there is nothing to write, or a format or a split is unknown.
        UnknownEnv: If there is no such environment.
    """

    envs: tuple[str, ...]
    n: int
    format: Format = "trl"
    split: Split = "train"
    seed: int = 0
    system: str | None = None
    env_kwargs: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Check, and complete the ids, so that the file names the version that it was drawn from."""
        if self.format not in FORMATS:
            raise BadInput(f"the formats are {', '.join(FORMATS)}, found {self.format!r}")
        if self.split not in SPLITS:
            raise BadInput(f"split is one of {', '.join(SPLITS)}, found {self.split!r}")
        if not self.envs or self.n < 1:
            raise BadInput(
                f"an export needs an environment and at least one row, found {len(self.envs)} and n={self.n}"
            )
        if "split" in self.env_kwargs:
            raise BadInput("the split is an argument of the export, not of its environments")
        object.__setattr__(self, "envs", tuple(find(env).id for env in self.envs))

    def metadata(self) -> dict[str, Any]:
        """Everything that the file was made from; enough to make it again."""
        from proofgym import __version__

        return {
            "proofgym": __version__, "format": self.format, "envs": list(self.envs), "n": self.n, "split": self.split,
            "seed": self.seed, "system": self.system, "env_kwargs": dict(self.env_kwargs),
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Written:
    """What came of an export."""

    path: Path
    rows: int
    distinct: int
    """Different tasks: a small family repeats itself."""


def export(
    plan: Export, path: Path, *, jobs: int = 1, on_rows: Callable[[int], None] | None = None, force: bool = False
) -> Written:
    """Write a file, whole or not at all, with its metadata: inside a Parquet file, beside a JSON Lines file.

    Args:
        plan: What to write.
        path: Ends in `.parquet` or `.jsonl`. A file whose name speaks of another split is refused, so that nobody
            trains on `train.parquet` with held-out tasks in it, nor tests on tasks that were trained on.
        jobs: Processes that draw tasks; the file does not depend on it.
        on_rows: Called with the number of rows written since the last call.
        force: Write over a file that exists.
    Raises:
        BadInput: For a path that cannot be used.
        Unjudged: If an item could not be asked.
        MissingExtra: If a Parquet file is wanted without pyarrow.
    """
    _check_path(plan, path, force)
    write = _write_parquet if path.suffix == ".parquet" else _write_jsonl
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    seen: set[str] = set()
    try:
        count = write(plan, part, _counted(_drawn(plan, jobs), seen, on_rows))
        if path.suffix == ".jsonl":
            text = json.dumps({**plan.metadata(), "distinct": len(seen)}, indent=2, ensure_ascii=False, sort_keys=True)
            path.with_name(path.name + ".meta.json").write_text(text + "\n", encoding="utf-8")
        part.replace(path)
    finally:
        with suppress(FileNotFoundError):
            part.unlink()
    return Written(path, count, len(seen))


def _check_path(plan: Export, path: Path, force: bool) -> None:
    if path.suffix not in (".parquet", ".jsonl"):
        raise BadInput(f"a data set ends in .parquet or .jsonl, found {path.name!r}")
    if plan.format == "nemo" and path.suffix != ".jsonl":
        raise BadInput("NeMo Gym reads JSON Lines: end the name in .jsonl")
    if path.exists() and not force:
        raise BadInput(f"{path} exists; choose another name, or say --force")
    words = [word for word in _words(path.stem) if word]
    for split, names in _OTHER_WORDS.items():
        if split != plan.split and any(word in names for word in words):
            raise BadInput(f"{path.name} speaks of the {split} split and would hold {plan.split} tasks; rename it")
    if plan.split != "train" and not any(word in _OTHER_WORDS[plan.split] for word in words):
        raise BadInput(f"held-out tasks go into a file that says so: name it, as in {plan.split}{path.suffix}")


def _words(stem: str) -> list[str]:
    return "".join(c if c.isalpha() else " " for c in stem.lower()).split()


# Rows -----------------------------------------------------------------------------------------------------------------


def _drawn(plan: Export, jobs: int) -> Iterator[list[Row]]:
    """The rows in order, chunk by chunk; processes draw chunks of items, and the order of the file stays."""
    per_env = -(-plan.n // len(plan.envs))
    chunk = max(1, _CHUNK // len(plan.envs))
    spans = [(start, min(chunk, per_env - start)) for start in range(0, per_env, chunk)]
    draw = partial(_draw_span, plan)
    if jobs <= 1:
        drawn: Iterator[list[Row]] = map(draw, spans)
        yield from _cut(drawn, plan.n)
        return
    with ProcessPoolExecutor(jobs) as pool:
        waiting = iter(spans)
        ahead = [pool.submit(draw, span) for span in islice(waiting, 4 * jobs)]  # a window: few rows are held at a time

        def ordered() -> Iterator[list[Row]]:
            while ahead:
                found = ahead.pop(0).result()
                ahead.extend(pool.submit(draw, span) for span in islice(waiting, 1))
                yield found

        yield from _cut(ordered(), plan.n)


def _cut(chunks: Iterator[list[Row]], n: int) -> Iterator[list[Row]]:
    for found in chunks:
        if n <= 0:
            return
        yield found[:n]
        n -= len(found)


def _draw_span(plan: Export, span: tuple[int, int]) -> list[Row]:
    start, count = span
    kwargs = {**plan.env_kwargs, "split": plan.split}
    columns = [list(rows(env, count, seed=plan.seed, start=start, system=plan.system, **kwargs)) for env in plan.envs]
    found = [row for together in zip(*columns, strict=True) for row in together]
    for row in found:
        if row.split != plan.split:
            raise BadInput(
                f"{row.env} asked a task of the {row.split or 'unknown'} split where {plan.split} was wanted"
            )
    return found


def _counted(chunks: Iterator[list[Row]], seen: set[str], on_rows: Callable[[int], None] | None) -> Iterator[list[Row]]:
    for chunk in chunks:
        seen.update(row.fingerprint for row in chunk)
        yield chunk
        if on_rows is not None:
            on_rows(len(chunk))


# Whose columns --------------------------------------------------------------------------------------------------------


def shaped(row: Row, format_: Format) -> dict[str, Any]:
    """A row with a trainer's columns."""
    reference = canonical_json(row.reference())
    entry = find(row.env)
    prompt = [dict(message) for message in row.prompt]
    about = {
        "index": row.index, "split": row.split, "env": row.env, "family": row.family,
        "difficulty": row.difficulty, "fingerprint": row.fingerprint,
    }  # fmt: skip
    if format_ == "trl":
        return row.to_json()
    if format_ == "verl":
        return {
            "data_source": row.env,
            "prompt": prompt,
            "ability": entry.domain,
            "reward_model": {"style": "rule", "ground_truth": reference},
            "agent_name": "single_turn_agent" if entry.max_turns == 1 else "proofgym",
            "extra_info": about,
        }
    if format_ == "openrlhf":
        return {"prompt": prompt, "label": reference, "datasource": row.env}
    if format_ == "skyrl":
        return {
            "data_source": row.env,
            "prompt": prompt,
            "env_class": ENV_CLASS,
            "reward_spec": {"method": "rule", "ground_truth": reference},
            "max_turns": entry.max_turns,
            "extra_info": about,
        }
    agent = "proofgym_agent" if entry.max_turns == 1 else "proofgym_gymnasium_agent"
    return {
        "responses_create_params": {"input": prompt},
        "proofgym": row.reference(),
        "agent_ref": {"type": "responses_api_agents", "name": agent},
    }


def _write_jsonl(plan: Export, path: Path, chunks: Iterator[list[Row]]) -> int:
    count = 0
    with path.open("w", encoding="utf-8", newline="\n") as file:
        for chunk in chunks:
            for row in chunk:
                line = json.dumps(shaped(row, plan.format), ensure_ascii=False, allow_nan=False, separators=(",", ":"))
                file.write(line + "\n")
            count += len(chunk)
    return count


def _write_parquet(plan: Export, path: Path, chunks: Iterator[list[Row]]) -> int:
    arrow = need("pyarrow", "export")
    parquet = need("pyarrow.parquet", "export")
    schema = _schema(plan.format, arrow).with_metadata({b"proofgym": canonical_json(plan.metadata()).encode()})
    count = 0
    with parquet.ParquetWriter(path, schema, compression="zstd") as writer:
        for chunk in chunks:
            table = arrow.Table.from_pylist([shaped(row, plan.format) for row in chunk], schema=schema)
            writer.write_table(table)
            count += len(chunk)
    return count


def _schema(format_: Format, arrow: Any) -> Any:
    """Every column's type, spelled out: a guess would depend on the rows."""
    text, whole, real = arrow.string(), arrow.int64(), arrow.float64()
    prompt = arrow.list_(arrow.struct([("role", text), ("content", text)]))
    about = arrow.struct(
        [
            ("index", whole),
            ("split", text),
            ("env", text),
            ("family", text),
            ("difficulty", real),
            ("fingerprint", text),
        ]
    )
    columns: dict[str, Sequence[tuple[str, Any]]] = {
        "trl": [
            ("prompt", prompt), ("env", text), ("kwargs", text), ("seed", whole), ("index", whole),
            ("fingerprint", text), ("split", text), ("family", text), ("difficulty", real),
        ],
        "verl": [
            ("data_source", text), ("prompt", prompt), ("ability", text),
            ("reward_model", arrow.struct([("style", text), ("ground_truth", text)])),
            ("agent_name", text), ("extra_info", about),
        ],
        "openrlhf": [("prompt", prompt), ("label", text), ("datasource", text)],
        "skyrl": [
            ("data_source", text), ("prompt", prompt), ("env_class", text),
            ("reward_spec", arrow.struct([("method", text), ("ground_truth", text)])),
            ("max_turns", whole), ("extra_info", about),
        ],
    }  # fmt: skip
    return arrow.schema(columns[format_])
