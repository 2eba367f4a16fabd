"""Rows of public mathematics data sets, from a local file or the hub, judged by the answer verifier."""

from __future__ import annotations

import functools
import importlib.util
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from proofgym.envs.base import TurnResult, VerifiableEnv
from proofgym.envs.math.forms import FRACTION
from proofgym.envs.task import Task, fingerprint
from proofgym.errors import BadInput, Unjudged, need
from proofgym.verifiers import Credit, Verdict
from proofgym.verifiers.math import MathPolicy, verify, verify_answer
from proofgym.verifiers.math.answer import find_answer
from proofgym.verifiers.math.reading import squeeze, unwrap

__all__ = ["PRESETS", "MathDataset", "Preset"]

_LONGEST, _LONGEST_ANSWER = 3600, 500  # characters of a question and of an answer
_HOW = r"Reason step by step, and put the final answer in \boxed{}."
_SOME_ANSWER = "271828"
_MARKED = re.compile(r"\\(?:boxed|fbox)|####")
_NO_ANSWER = frozenset({"proof", "notfound", "none", "null", "n/a", "na"})


@dataclass(frozen=True, slots=True)
class Preset:
    """Where a data set keeps what.

    Args:
        question: Columns that may hold the question; the first that a row has counts.
        answer: Columns that may hold the answer, likewise, bare or at the end of a worked solution.
        worked: Columns with a worked solution that ends in the answer, as `\\\\boxed{}` or after `####`; read where no
            column of `answer` has one.
        hub: The data set's name on the hub, and `config` its configuration.
        percent: How a percent sign is taken; see `MathPolicy`.
    """

    question: tuple[str, ...]
    answer: tuple[str, ...]
    worked: tuple[str, ...] = ("solution",)
    hub: str = ""
    config: str | None = None
    percent: str = "fraction"


PRESETS: Mapping[str, Preset] = {
    "auto": Preset(
        ("problem", "question", "Problem", "Question"),
        ("answer", "Answer", "final_answer"),
        ("solution", "Solution"),
        "HuggingFaceH4/MATH-500",
    ),
    "gsm8k": Preset(("question",), (), ("answer",), "openai/gsm8k", "main", percent="either"),
    "math": Preset(("problem",), ("answer",), hub="HuggingFaceH4/MATH-500"),
    "aime": Preset(("problem", "Problem", "question"), ("answer", "Answer"), hub="HuggingFaceH4/aime_2024"),
    "amc": Preset(("problem", "question"), ("answer",), hub="AI-MO/aimo-validation-amc"),
    "numina": Preset(("problem",), ("answer",), hub="AI-MO/NuminaMath-CoT"),
    "bigmath": Preset(("problem",), ("answer",), hub="SynthLabsAI/Big-Math-RL-Verified"),
    "deepscaler": Preset(("problem",), ("answer",), hub="agentica-org/DeepScaleR-Preview-Dataset"),
}


class MathDataset(VerifiableEnv):
    r"""Asks the questions of a data set and pays 1.0 for the right answer.

    Observation: the question and where to write the answer.
    Action: any reasoning, and then the answer, in `\boxed{}`, after `####` or after "the final answer is".
    Episode: one turn, always terminated, never truncated.

    Items 0 to n - 1 of one seed are the n rows of the split, each once, in an order that the seed decides; then the
    next round begins in another order. A row's fingerprint is its question's, so it decides the split here as well:
    with `whole_file` every row is asked, whatever its split. `level` is not used.

    An answer that copies a formula of the question, with its operations still to be carried out, is none, though its
    value be right.

    Args:
        path: JSON Lines (or one JSON array), or Parquet, which needs `pyarrow`. Without it the preset's data set is
            fetched from the hub through `datasets` at the first `reset`.
        preset: One of `PRESETS`, which name the columns; or a `Preset` of your own. `auto` tries the usual names.
        part: Which part of the hub's data set.
        whole_file: Ask rows of every split.
        skip_broken: Leave out rows that cannot be used, and keep their number and reasons in `broken`, instead of
            refusing the file.
        policy: The verifier's conventions, if not the preset's.
    Raises:
        BadInput: For a file that cannot be read or a row that cannot be used, with its line and the reason.
        MissingExtra: Without `path`, if `datasets` is not installed; for Parquet, if `pyarrow` is not.
    """

    family: ClassVar[str] = "math_dataset"
    floor: float = 0.05

    def __init__(
        self,
        path: str | Path | None = None,
        *,
        preset: str | Preset = "auto",
        part: str = "train",
        whole_file: bool = False,
        skip_broken: bool = False,
        policy: MathPolicy | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if isinstance(preset, str) and preset not in PRESETS:
            raise BadInput(f"preset is one of {', '.join(PRESETS)}, or a Preset; found {preset!r}")
        self.preset = PRESETS[preset] if isinstance(preset, str) else preset
        if path is None:
            if not self.preset.hub:
                raise BadInput("a Preset without a hub needs path=FILE")
            if importlib.util.find_spec("datasets") is None:
                need("datasets", "data")
        self.path = None if path is None else Path(path)
        self.part, self.whole_file, self.skip_broken = part, whole_file, skip_broken
        self.policy = policy or MathPolicy(percent="either" if self.preset.percent == "either" else "fraction")
        self.broken: tuple[str, ...] = ()
        self._tasks: list[Task] = []
        self._order: tuple[tuple[int, int], list[int]] | None = None
        self._row: dict[str, str] = {}
        if self.path is not None:
            self._load_tasks()

    def generate(self, rng: np.random.Generator) -> Mapping[str, Any]:
        """A row drawn at random; `reset` goes through the rows in order instead."""
        self._load_tasks()
        return self._tasks[int(rng.integers(len(self._tasks)))].instance

    def canonical(self, instance: Mapping[str, Any]) -> Any:
        """The question, its blanks evened out."""
        return " ".join(_checked(instance)["question"].split())

    def difficulty(self, instance: Mapping[str, Any]) -> float:
        """By the length of the worked solution; 0.5 where there is none."""
        return _difficulty(_checked(instance))

    def begin(self, instance: Mapping[str, Any]) -> str:
        self._row = _checked(instance)
        return f"{self._row['question'].strip()}\n\n{_HOW}"

    def turn(self, action: str) -> TurnResult:
        place = find_answer(action)
        verdict = verify(self._row["answer"], action, policy=self.policy)
        if verdict.correct and self._copied(place.text):
            verdict = Verdict.wrong("the value is right, but it is the question's own formula")
        if not action[place.start : place.end].strip():
            return TurnResult("", [], verdict, terminated=True)
        credit = Credit(place.start, place.end, verdict.score, "answer", verdict.reason)
        return TurnResult("", [credit], verdict, terminated=True)

    def save(self) -> dict[str, Any]:
        return {}

    def load(self, data: Mapping[str, Any]) -> None:
        pass

    def oracle(self) -> str:
        """The row's worked solution where it earns the point, else the answer."""
        row = self._row
        if row["solution"] and len(row["solution"]) <= self.action_limit:
            found = verify(row["answer"], row["solution"], policy=self.policy)
            if found.correct and not self._copied(find_answer(row["solution"]).text):
                return row["solution"]
        return f"The final answer is \\boxed{{{row['answer']}}}"

    def cheats(self) -> Sequence[str]:
        return (
            *super().cheats(), r"\boxed{}", "####", r"\boxed{?}", r"\boxed{1 or 2}", r"\boxed{x} or \boxed{y}",
            " ".join(rf"\boxed{{{n}}}" for n in range(-30, 30)), r"\boxed{9^{9^{9^9}}}", r"\boxed{0/0}", "#### nan",
            r"\boxed{__import__('os').abort()}", r"\boxed{\text{the answer}}", "I do not know.",
        )  # fmt: skip

    def _copied(self, answer: str) -> bool:
        gold, text = (squeeze(unwrap(t)) for t in (self._row["answer"], answer))
        letter = len(gold.strip("()")) == 1 and gold.strip("()").isalpha()
        copied = bool(text) and text != gold and text in squeeze(self._row["question"])
        return copied and not letter and bool(FRACTION.refuses(answer))

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
        where = self.path or f"{self.preset.hub}/{self.part}"
        tasks, broken = (
            _from_hub(self.preset, self.part, self.policy)
            if self.path is None
            else _from_file(self.path, self.preset, self.policy)
        )
        if broken and not self.skip_broken:
            more = f" (and {len(broken) - 1} more; skip_broken=True leaves them out)" if len(broken) > 1 else ""
            raise BadInput(broken[0] + more)
        self.broken = broken
        if not tasks:
            raise BadInput(f"{where} has no rows" + (f" that can be used; the first: {broken[0]}" if broken else ""))
        self._tasks = [task for task in tasks if self.whole_file or task.split == self.split]
        if not self._tasks:
            raise BadInput(f"none of the {len(tasks)} rows of {where} is in split {self.split!r}; pass whole_file=True")


def _checked(instance: Any) -> dict[str, str]:
    """The texts of an instance."""
    if not isinstance(instance, Mapping):
        raise BadInput(f"a row is an object with 'question' and 'answer', found {type(instance).__name__}")
    row = {name: instance.get(name, "" if name == "solution" else None) for name in ("question", "answer", "solution")}
    for name, text in row.items():
        if not isinstance(text, str) or (name != "solution" and not text.strip()):
            raise BadInput(f"a row has a text '{name}', found {text!r:.60}")
    if len(row["question"]) > _LONGEST:
        raise BadInput(f"a question has at most {_LONGEST} characters, found {len(row['question'])}")
    if len(row["answer"]) > _LONGEST_ANSWER:
        raise BadInput(f"an answer has at most {_LONGEST_ANSWER} characters, found {len(row['answer'])}")
    return {name: str(text) for name, text in row.items()}


def _difficulty(row: Mapping[str, str]) -> float:
    return min(1.0, len(row["solution"]) / 3000) if row["solution"] else 0.5


def _row_of(data: Any, preset: Preset) -> dict[str, str]:
    """The question, answer and solution of one row of a data set."""
    if not isinstance(data, Mapping):
        raise BadInput(f"a row is an object, found {type(data).__name__}")
    question = _column(data, preset.question)
    if question is None:
        raise BadInput(
            f"no text in {' or '.join(map(repr, preset.question))}, found the columns {', '.join(map(str, data))[:80]}"
        )
    worked = _column(data, preset.worked) or ""
    answer = _column(data, preset.answer)
    if answer is not None and _MARKED.search(answer):
        worked, answer = answer, None
    if answer is None:
        if not worked:
            named = " or ".join(map(repr, (*preset.answer, *preset.worked)))
            raise BadInput(f"no answer in {named}, found the columns {', '.join(map(str, data))[:80]}")
        place = find_answer(worked)
        if not place.text or not _MARKED.search(worked):
            raise BadInput(f"the solution ends in no answer: {place.reason or worked[-40:]!r}")
        answer = place.text
    if answer.strip().lower() in _NO_ANSWER:
        raise BadInput(f"{answer.strip()!r} is no answer to compare with")
    return _checked({"question": question, "answer": answer.strip(), "solution": worked})


def _column(data: Mapping[str, Any], names: Sequence[str]) -> str | None:
    for name in names:
        value = data.get(name)
        if isinstance(value, str) and value.strip():
            return value
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            return str(int(value)) if value == int(value) else repr(value)  # 142.0 is how AMC's file has 142
    return None


Loaded = tuple[tuple[Task, ...], tuple[str, ...]]


def _tasks_of(rows: Iterable[tuple[str, Any]], preset: Preset, policy: MathPolicy) -> Loaded:
    tasks, broken = [], []
    for where, data in rows:
        try:
            row = _row_of(json.loads(data) if isinstance(data, str) else data, preset)
            if not verify_answer(row["answer"], row["answer"], policy=policy).correct:
                raise BadInput(f"the answer {row['answer'][:60]!r} does not even equal itself")
            verify_answer(row["answer"], _SOME_ANSWER, policy=policy)  # whether it can be compared with another
        except Unjudged as error:
            broken.append(f"{where}: the answer cannot be judged: {error}")
        except (ValueError, OverflowError, RecursionError) as error:  # JSON's own errors, BadInput, infinite answers
            broken.append(f"{where}: {error}")
        else:
            content = fingerprint(MathDataset.family, " ".join(row["question"].split()))
            tasks.append(Task(MathDataset.family, row, content, _difficulty(row)))
    return tuple(tasks), tuple(broken)


def _from_file(path: Path, preset: Preset, policy: MathPolicy) -> Loaded:
    try:
        stat = path.stat()
        return _read_file(path, stat.st_mtime_ns, stat.st_size, preset, policy)
    except OSError as error:
        raise BadInput(f"no data set at {path}: {error.strerror or error}; pass path=FILE") from error
    except UnicodeDecodeError as error:
        raise BadInput(f"{path} is not UTF-8 text: {error.reason} at byte {error.start}") from error


@functools.lru_cache(maxsize=8)
def _read_file(path: Path, mtime_ns: int, size: int, preset: Preset, policy: MathPolicy) -> Loaded:  # noqa: ARG001 - the key
    """The rows of a file; many copies of the environment share one reading of it."""
    return _tasks_of(_parquet(path) if path.suffix == ".parquet" else _json(path), preset, policy)


def _json(path: Path) -> Iterator[tuple[str, Any]]:
    with path.open(encoding="utf-8") as file:
        if file.read(1) == "[":
            file.seek(0)
            try:
                rows = json.load(file)
            except (ValueError, RecursionError) as error:
                raise BadInput(f"{path} is no JSON: {error}") from error
            yield from ((f"{path}:row {n}", row) for n, row in enumerate(rows, start=1))
            return
        file.seek(0)
        yield from ((f"{path}:{n}", line) for n, line in enumerate(file, start=1) if line.strip())


def _parquet(path: Path) -> Iterator[tuple[str, Any]]:
    parquet = need("pyarrow.parquet", "data")
    try:
        file = parquet.ParquetFile(path)
        at = 0
        for batch in file.iter_batches():
            for row in batch.to_pylist():
                at += 1
                yield f"{path}:row {at}", row
    except (OSError, ValueError) as error:  # pyarrow's errors are kinds of both
        raise BadInput(f"{path} cannot be read as Parquet: {error}") from error


@functools.lru_cache(maxsize=4)
def _from_hub(preset: Preset, part: str, policy: MathPolicy) -> Loaded:
    datasets = need("datasets", "data")
    try:
        table = datasets.load_dataset(preset.hub, preset.config, split=part)
    except Exception as error:  # whatever the hub's client raises, the way out is the same
        why = f"{preset.hub} could not be fetched ({type(error).__name__}: {error})"
        raise BadInput(f"{why}; download it and pass path=FILE") from error
    return _tasks_of(((f"{preset.hub}/{part}:{n}", dict(row)) for n, row in enumerate(table, start=1)), preset, policy)
