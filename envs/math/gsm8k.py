"""Grade-school word problems in the form of GSM8K, from a file or from the hub."""

from __future__ import annotations

import functools
import importlib.util
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from proofgym.envs.base import TurnResult, VerifiableEnv
from proofgym.envs.task import Task, fingerprint
from proofgym.errors import BadInput, need
from proofgym.verifiers.math.numeric import NumericVerifier, read_number

__all__ = ["GSM8K"]

_HUB = "openai/gsm8k"
_LONGEST = 3600  # characters of a question
_HOW = "Reason step by step. End with a line '#### ' and the answer as one number."
_ANNOTATION = re.compile(r"<<[^<>\n]*>>")  # GSM8K's own calculator marks


class GSM8K(VerifiableEnv):
    """Asks a word problem from a data set and pays 1.0 for the right number.

    Observation: the question and the format.
    Action: any reasoning that comes to one final number; `proofgym.verifiers.math.numeric` tells how it is read.
    Episode: one turn, always terminated, never truncated.

    Items 0 to n - 1 of one seed are the n rows of the split, each once, in an order that the seed decides; then the
    next round begins in another order. A row's fingerprint is its question's, so it decides the split here as well:
    with `whole_file` every row is asked, whatever its split, which suits a file that is a test set as a whole.
    `level` is not used.

    Args:
        path: JSON Lines with `question` and `answer`, an answer ending in `#### 42`. Without it, the hub's data set
            `openai/gsm8k` is fetched at the first `reset`.
        part: Which part of the hub's data set, `train` or `test`.
        whole_file: Ask rows of every split.
    Raises:
        BadInput: For a file that cannot be read or a row that cannot be used, with its line and the reason.
        MissingExtra: Without `path`, if `datasets` is not installed.
    Source:
        Cobbe et al. 2021, Training Verifiers to Solve Math Word Problems (arXiv:2110.14168).
    """

    family: ClassVar[str] = "gsm8k"
    floor: float = 0.04  # the commonest answer of the test set is that of 40 rows in 1,319

    def __init__(
        self, path: str | Path | None = None, *, part: str = "train", whole_file: bool = False, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        if part not in ("train", "test"):
            raise BadInput(f"part is train or test, found {part!r}")
        if path is None and importlib.util.find_spec("datasets") is None:
            need("datasets", "data")
        self.path = None if path is None else Path(path)
        self.part, self.whole_file = part, whole_file
        self._tasks: list[Task] = []
        self._order: tuple[tuple[int, int], list[int]] | None = None
        self._gold = Fraction(0)
        self._solution = ""
        if self.path is not None:
            self._load_tasks()

    def generate(self, rng: np.random.Generator) -> Mapping[str, Any]:
        """A row drawn at random; `reset` goes through the rows in order instead."""
        self._load_tasks()
        return self._tasks[int(rng.integers(len(self._tasks)))].instance

    def canonical(self, instance: Mapping[str, Any]) -> Any:
        """The question, its blanks evened out."""
        return _question(instance)

    def difficulty(self, instance: Mapping[str, Any]) -> float:
        """By the lines of the given solution: 0 for one, 1 for nine and more."""
        return _difficulty(instance)

    def begin(self, instance: Mapping[str, Any]) -> str:
        self._gold = _read(instance)
        self._solution = _ANNOTATION.sub("", instance["answer"])
        return f"{instance['question'].strip()}\n\n{_HOW}"

    def turn(self, action: str) -> TurnResult:
        verdict, credits_ = NumericVerifier(self._gold).grade(action)
        return TurnResult("", credits_, verdict, terminated=True)

    def save(self) -> dict[str, Any]:
        return {}

    def load(self, data: Mapping[str, Any]) -> None:
        pass

    def oracle(self) -> str:
        return self._solution

    def cheats(self) -> Sequence[str]:
        guesses = range(200)
        return (
            *super().cheats(), "\n".join(f"#### {n}" for n in guesses), f"#### {' '.join(map(str, guesses))}",
            "\n".join(f"The answer is {n}." for n in guesses), "".join(rf"\boxed{{{n}}}" for n in guesses),
            " ".join(map(str, guesses)), "#### 1 or 2", "#### 1, 2", "#### 1/0", "#### nan", "#### inf", "#### 1e1",
            "#### ٤", "#### x", "#### ####", "#### 9**9**9",
        )  # fmt: skip

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
        tasks = _from_hub(self.part) if self.path is None else _from_file(self.path)
        self._tasks = [task for task in tasks if self.whole_file or task.split == self.split]
        if not self._tasks:
            where = self.path or _HUB
            raise BadInput(f"none of the {len(tasks)} rows of {where} is in split {self.split!r}; pass whole_file=True")


def _read(instance: Any) -> Fraction:
    """Check a row and return its number."""
    if not isinstance(instance, Mapping):
        raise BadInput(f"a row is an object with 'question' and 'answer', found {type(instance).__name__}")
    for field in ("question", "answer"):
        if not (isinstance(instance.get(field), str) and instance[field].strip()):
            raise BadInput(f"a row has a text '{field}', found {instance.get(field)!r:.60}")
    if len(instance["question"]) > _LONGEST:
        raise BadInput(f"a question has at most {_LONGEST} characters, found {len(instance['question'])}")
    _, mark, claim = instance["answer"].rpartition("####")
    gold = read_number(claim.strip()) if mark else None
    if gold is None:
        raise BadInput(f"an answer ends in '#### 42', found {instance['answer'][-40:]!r}")
    if not NumericVerifier(gold).verify(instance["answer"]).correct:
        raise BadInput(f"the answer gives several final numbers: {instance['answer'][-60:]!r}")
    return gold


def _question(row: Any) -> str:
    _read(row)
    return " ".join(row["question"].split())


def _difficulty(row: Any) -> float:
    _read(row)
    working: int = row["answer"].strip().count("\n")
    return min(1.0, max(0.0, (working - 1) / 8))


def _from_file(path: Path) -> tuple[Task, ...]:
    try:
        stat = path.stat()
        return _tasks_of(path, stat.st_mtime_ns, stat.st_size)
    except OSError as error:
        raise BadInput(f"no data set at {path}: {error.strerror or error}; pass path=FILE with JSON Lines") from error
    except UnicodeDecodeError as error:
        raise BadInput(f"{path} is not UTF-8 text: {error.reason} at byte {error.start}") from error


@functools.lru_cache(maxsize=8)
def _tasks_of(path: Path, mtime_ns: int, size: int) -> tuple[Task, ...]:  # noqa: ARG001 - part of the key
    """The rows of a file; many copies of the environment share one reading of it."""
    with path.open(encoding="utf-8") as file:
        tasks = _checked(((f"{path}:{n}", line) for n, line in enumerate(file, start=1) if line.strip()))
    if not tasks:
        raise BadInput(f"{path} has no rows")
    return tasks


@functools.lru_cache(maxsize=2)
def _from_hub(part: str) -> tuple[Task, ...]:
    datasets = need("datasets", "data")
    try:
        table = datasets.load_dataset(_HUB, "main", split=part)
        return _checked((f"{_HUB}/{part}:{n}", json.dumps(row)) for n, row in enumerate(table, start=1))
    except BadInput:
        raise
    except Exception as error:  # whatever the hub's client raises, the way out is the same
        why = f"{_HUB} could not be fetched ({type(error).__name__}: {error})"
        raise BadInput(f"{why}; download it and pass path=FILE with JSON Lines") from error


def _checked(texts: Iterable[tuple[str, str]]) -> tuple[Task, ...]:
    tasks = []
    for where, text in texts:
        try:
            row = json.loads(text)
            content = fingerprint(GSM8K.family, _question(row))
        except (ValueError, RecursionError) as error:  # JSON's own errors, and BadInput
            raise BadInput(f"{where}: {error}") from error
        instance = {"question": row["question"], "answer": row["answer"]}
        tasks.append(Task(GSM8K.family, instance, content, _difficulty(row)))
    return tuple(tasks)
