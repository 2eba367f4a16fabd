"""Programming problems from public data sets, from a local file or through `datasets`."""

from __future__ import annotations

import functools
import importlib.util
import json
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from proofgym.envs.code.base import OneProgram, checked, text_of
from proofgym.envs.code.rows import FORMATS, Question, read_row, sniff
from proofgym.envs.task import Task, fingerprint
from proofgym.errors import BadInput, Unjudged, need
from proofgym.verifiers.code import CodeTask
from proofgym.verifiers.code.humaneval import rows as human_eval_rows

__all__ = ["HUBS", "CodeDataset"]

HUBS: Mapping[str, tuple[str, str | None]] = {
    "humaneval": ("openai/openai_humaneval", None),
    "humaneval+": ("evalplus/humanevalplus", None),
    "mbpp": ("google-research-datasets/mbpp", None),
    "mbpp+": ("evalplus/mbppplus", None),
    "apps": ("codeparrot/apps", "all"),
    "taco": ("BAAI/TACO", None),
    "livecodebench": ("livecodebench/code_generation_lite", None),
    "codecontests": ("deepmind/code_contests", None),
}
"""Where each format lies on the hub, with its configuration."""

_STATEMENT = ("question", "question_content", "description", "text", "prompt")
_CHEAP = frozenset(("apps", "taco", "livecodebench", "codecontests"))  # read without running anything
_LONGEST = 20_000  # characters of a question


class CodeDataset(OneProgram):
    """Asks the problems of a data set and pays 1.0 for a program that passes every case that is not shown.

    Observation: the problem, and the cases that are shown, if any.
    Action: the whole program, in a Python block or bare.
    Episode: one turn; with `max_turns` above 1, one program a turn until one is right.

    Items 0 to n - 1 of one seed are the n rows of the split, each once, in an order that the seed decides; then the
    next round begins in another order. A row's fingerprint is its problem's, so it decides the split here as well:
    with `whole_file` every row is asked. `level` is not used.

    Formats: HumanEval, HumanEval+, MBPP, MBPP+, APPS, TACO, LiveCodeBench, CodeContests
    (`proofgym.envs.code.rows`). Rows of SWE-bench need checkouts, and are read by `proofgym.envs.code.swe`.

    Args:
        path: JSON Lines, one JSON array, or Parquet. Without it, HumanEval comes from the package `human-eval`, and
            other formats through `datasets`, at the first `reset`.
        format: One of `HUBS`, or `auto`, which goes by the fields of each row; `auto` without a path is HumanEval.
        part: Which part of the hub's data set.
        whole_file: Ask rows of every split.
        skip_broken: Leave out rows that cannot be used, and keep the reasons in `broken`, instead of refusing the file.
    Raises:
        BadInput: For a file that cannot be read, or a row that cannot be used, with its line and the field.
        MissingExtra: Without a path, if `human-eval` or `datasets` is not installed.
    """

    family: ClassVar[str] = "code_dataset"
    content_family: ClassVar[str] = "code_dataset"
    floor: float = 0.0

    def __init__(
        self,
        path: str | Path | None = None,
        *,
        format: str = "auto",  # noqa: A002 - the word people use for it
        part: str = "test",
        whole_file: bool = False,
        skip_broken: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if format != "auto" and format not in FORMATS:
            raise BadInput(f"format is auto or one of {', '.join(FORMATS)}, found {format!r}")
        self.path = None if path is None else Path(path)
        self.format = "humaneval" if path is None and format == "auto" else format
        if path is None and self.format != "humaneval" and importlib.util.find_spec("datasets") is None:
            need("datasets", "data")
        self.part, self.whole_file, self.skip_broken = part, whole_file, skip_broken
        self.broken: tuple[str, ...] = ()
        self._tasks: list[Task] = []
        self._order: tuple[tuple[int, int], list[int]] | None = None
        if self.path is not None:
            self._load_tasks()

    def generate(self, rng: np.random.Generator) -> Mapping[str, Any]:
        """A row drawn at random; `reset` goes through the rows in order instead."""
        self._load_tasks()
        return self._tasks[int(rng.integers(len(self._tasks)))].instance

    def canonical(self, instance: Mapping[str, Any]) -> Any:
        """The problem, its blanks evened out."""
        found = checked(instance, {"row": dict})
        return " ".join(_statement(found["row"]).split())

    def difficulty(self, instance: Mapping[str, Any]) -> float:
        return 0.5

    def begin(self, instance: Mapping[str, Any]) -> str:
        found = checked(instance, {"row": dict, "format": str})
        if found["format"] not in FORMATS:
            raise BadInput(f"'format' is one of {', '.join(FORMATS)}, found {found['format']!r:.40}")
        question = self._question(found["row"], found["format"])
        self._code_task, self._reference, self._paid = question.task, question.reference, 0.0
        return self.question(instance, question.task)

    def question(self, instance: Mapping[str, Any], task: CodeTask) -> str:
        asked = self._question(instance["row"], instance["format"]).text
        if len(asked) > _LONGEST:
            raise BadInput(f"a question has at most {_LONGEST} characters, found {len(asked)}")
        shown = "" if instance["format"] == "mbpp" else "\n\n".join(text_of(task, case) for case in task.visible[:3])
        examples = f"\n\nExamples:\n\n{shown}" if shown and len(shown) < 3000 else ""
        how = "It reads standard input and prints the answer. " if task.kind == "stdio" else ""
        return f"{asked}{examples}\n\n{how}Put the whole program into one ```python block."

    def oracle(self) -> str:
        """The row's own solution.

        Raises:
            Unjudged: The row has none.
        """
        if not self._reference:
            raise Unjudged("this row has no solution of its own")
        return super().oracle()

    def _question(self, row: Mapping[str, Any], form: str) -> Question:
        text = json.dumps(row, sort_keys=True, default=str)
        with _lock:
            known = _asked.get((form, text))
        if known is None:
            known = read_row(row, form, None if form in _CHEAP else self.pool())
            with _lock:
                _asked[form, text] = known
                while len(_asked) > _REMEMBERED:
                    del _asked[next(iter(_asked))]
        return known

    def _draw(self) -> Task:
        self._load_tasks()
        assert self._item_seed is not None
        epoch, at = divmod(self._item_index, len(self._tasks))
        key = (self._item_seed, epoch)
        if self._order is None or self._order[0] != key:
            self._order = key, np.random.default_rng(key).permutation(len(self._tasks)).tolist()
        return self._tasks[self._order[1][at]]

    def _load_tasks(self) -> None:
        if self._tasks:
            return
        if self.path is not None:
            where, loaded = str(self.path), _from_file(self.path, self.format)
        elif self.format == "humaneval":
            where, loaded = "human-eval", _from_package()
        else:
            where, loaded = HUBS[self.format][0], _from_hub(self.format, self.part)
        tasks, broken = loaded
        if broken and not self.skip_broken:
            more = f" (and {len(broken) - 1} more; skip_broken=True leaves them out)" if len(broken) > 1 else ""
            raise BadInput(broken[0] + more)
        self.broken = broken
        if not tasks:
            raise BadInput(f"{where} has no rows" + (f" that can be used; the first: {broken[0]}" if broken else ""))
        self._tasks = [task for task in tasks if self.whole_file or task.split == self.split]
        if not self._tasks:
            raise BadInput(f"none of the {len(tasks)} rows of {where} is in split {self.split!r}; pass whole_file=True")


_REMEMBERED = 256  # rows that have been read
_lock = threading.Lock()
_asked: dict[tuple[str, str], Question] = {}
_Loaded = tuple[tuple[Task, ...], tuple[str, ...]]


def _statement(row: Mapping[str, Any]) -> str:
    for name in _STATEMENT:
        if isinstance(row.get(name), str) and row[name].strip():
            return str(row[name])
    raise BadInput(
        f"no text in {' or '.join(map(repr, _STATEMENT))}, found the fields {', '.join(map(str, row))[:100]}"
    )


def _tasks_of(rows: Iterable[tuple[str, Any]], form: str) -> _Loaded:
    tasks, broken = [], []
    for where, data in rows:
        try:
            row = json.loads(data) if isinstance(data, str) else data
            if not isinstance(row, Mapping):
                raise BadInput(f"a row is an object, found {type(row).__name__}")
            found = sniff(row) if form == "auto" else form
            if found in _CHEAP:
                read_row(row, found)
            content = fingerprint(CodeDataset.family, " ".join(_statement(row).split()))
            tasks.append(Task(CodeDataset.family, {"row": dict(row), "format": found}, content, 0.5))
        except (ValueError, RecursionError) as error:  # JSON's own errors, and BadInput
            broken.append(f"{where}: {error}")
    return tuple(tasks), tuple(broken)


def _from_file(path: Path, form: str) -> _Loaded:
    try:
        stat = path.stat()
        return _read_file(path, stat.st_mtime_ns, stat.st_size, form)
    except OSError as error:
        raise BadInput(f"no data set at {path}: {error.strerror or error}; pass path=FILE") from error
    except UnicodeDecodeError as error:
        raise BadInput(f"{path} is not UTF-8 text: {error.reason} at byte {error.start}") from error


@functools.lru_cache(maxsize=8)
def _read_file(path: Path, mtime_ns: int, size: int, form: str) -> _Loaded:  # noqa: ARG001 - the key
    """The rows of a file; many copies of the environment share one reading of it."""
    return _tasks_of(_parquet(path) if path.suffix == ".parquet" else _json_rows(path), form)


def _json_rows(path: Path) -> Iterator[tuple[str, Any]]:
    text = path.read_text(encoding="utf-8")
    if text.startswith("["):
        try:
            rows: Sequence[Any] = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise BadInput(f"{path} is no JSON: {error}") from error
        yield from ((f"{path}:row {n}", row) for n, row in enumerate(rows, start=1))
        return
    yield from ((f"{path}:{n}", line) for n, line in enumerate(text.splitlines(), start=1) if line.strip())


def _parquet(path: Path) -> Iterator[tuple[str, Any]]:
    parquet = need("pyarrow.parquet", "data")
    try:
        rows = parquet.read_table(path).to_pylist()
    except (OSError, ValueError) as error:  # pyarrow's errors are kinds of both
        raise BadInput(f"{path} cannot be read as Parquet: {error}") from error
    yield from ((f"{path}:row {n}", row) for n, row in enumerate(rows, start=1))


@functools.lru_cache(maxsize=1)
def _from_package() -> _Loaded:
    return _tasks_of(((f"human-eval:{n}", row) for n, row in enumerate(human_eval_rows(), start=1)), "humaneval")


@functools.lru_cache(maxsize=4)
def _from_hub(form: str, part: str) -> _Loaded:
    datasets = need("datasets", "data")
    name, config = HUBS[form]
    try:
        table = datasets.load_dataset(name, config, split=part)
    except Exception as error:  # whatever the hub's client raises, the way out is the same
        why = f"{name} could not be fetched ({type(error).__name__}: {error})"
        raise BadInput(f"{why}; download it and pass path=FILE") from error
    return _tasks_of(((f"{name}/{part}:{n}", dict(row)) for n, row in enumerate(table, start=1)), form)
