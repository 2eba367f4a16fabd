"""Questions with free-form answers: rules first, symbolic mathematics next, and a judge model last, if there is one."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from proofgym.envs.base import TurnResult, VerifiableEnv
from proofgym.envs.task import Task, fingerprint, split_of
from proofgym.errors import BadInput, Unjudged
from proofgym.verifiers.cascade import Cascade, standard

if TYPE_CHECKING:
    from proofgym.verifiers.judge.judge import Judge

__all__ = ["JudgedQA"]

_LONGEST = 4000  # characters of a question and of a reference


class JudgedQA(VerifiableEnv):
    """Asks the questions of a file and pays what the cascade of verifiers says.

    Observation: the question.
    Action: the answer in the policy's own words, with any reasoning before it.
    Episode: one turn, always terminated, never truncated.

    It is not in the registry: without a judge it cannot judge most free-form answers, and says so by `Unjudged`; with
    one it depends on a model. Make it directly.

        env = JudgedQA("questions.jsonl", judge=Judge(CachedModel(ApiModel.parse("NAME@URL"), "judge.sqlite")))

    Rows are asked in the order that the seed decides, each once before any comes again. A fork shares its cascade, and
    with it the books, with the environment that it was made from.

    Args:
        path: JSON Lines with `question` and `reference` (left out where the rubric needs none).
        judge: Asked last; `None` for rules only.
        cascade: Instead of a judge: a cascade of your own.
        audit: The share of answers on which later stages are asked too, for the report (`env.cascade.report()`).
        whole_file: Ask rows of every split.
    Raises:
        BadInput: For a file that cannot be read, or a row that cannot be used, with its line.
    """

    family: ClassVar[str] = "judged_qa"
    floor: float = 0.0
    action_limit: ClassVar[int] = 12_000

    def __init__(
        self,
        path: str | Path,
        *,
        judge: Judge | None = None,
        cascade: Cascade | None = None,
        audit: float = 0.0,
        whole_file: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if judge is not None and cascade is not None:
            raise BadInput("give a judge or a cascade of your own, not both")
        self.cascade = cascade if cascade is not None else standard(judge, audit=audit)
        self.whole_file = whole_file
        rows = _rows(Path(path))
        self._rows = [row for row in rows if whole_file or self._split_of(row) == self.split]
        if not self._rows:
            raise BadInput(
                f"{path} has {len(rows)} rows and none of the split {self.split!r}; whole_file=True asks all"
            )
        self._question = ""
        self._reference: str | None = None

    def generate(self, rng: np.random.Generator) -> Mapping[str, Any]:
        """The item's row, in the order that the seed decides for each round."""
        turn, place = divmod(self._item_index, len(self._rows))
        order = np.random.default_rng([self._item_seed or 0, turn, 7]).permutation(len(self._rows))
        return self._rows[int(order[place])]

    def canonical(self, instance: Mapping[str, Any]) -> Any:
        """The question, its blanks evened out."""
        return " ".join(str(instance["question"]).split())

    def begin(self, instance: Mapping[str, Any]) -> str:
        row = _checked(instance, "the instance")
        self._question, self._reference = row["question"], row.get("reference")
        return self._question

    def turn(self, action: str) -> TurnResult:
        bound = self.cascade.bind(self._question, self._reference)
        verdict, credits_ = bound.judge(action)
        return TurnResult("", credits_, verdict, terminated=True)

    def save(self) -> dict[str, Any]:
        return {}

    def load(self, data: Mapping[str, Any]) -> None:
        """Nothing is kept between turns."""

    def oracle(self) -> str:
        """The reference itself.

        Raises:
            Unjudged: If the row has none.
        """
        if self._reference is None:
            raise Unjudged("this question has no reference answer, so nobody knows an expert's")
        return self._reference

    def _draw(self) -> Task:
        if not self.whole_file:
            return super()._draw()
        return self._as_task(self.generate(self.np_random))

    def _split_of(self, row: Mapping[str, Any]) -> str:
        return split_of(fingerprint(self.family, self.canonical(row)))


def _rows(path: Path) -> list[dict[str, str]]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"{path} cannot be read: {error}") from error
    found: dict[str, dict[str, str]] = {}
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except ValueError as error:
            raise BadInput(f"{path}, line {number}: no JSON ({error})") from error
        checked = _checked(row, f"{path}, line {number}")
        found.setdefault(" ".join(checked["question"].split()), checked)
    if not found:
        raise BadInput(f"{path} holds no questions")
    return list(found.values())


def _checked(row: Any, where: str) -> dict[str, str]:
    if not isinstance(row, Mapping) or not isinstance(row.get("question"), str) or not row["question"].strip():
        raise BadInput(f"{where} needs a text `question`")
    reference = row.get("reference")
    if reference is not None and not isinstance(reference, str):
        raise BadInput(f"{where}: a `reference` is text, found {type(reference).__name__}")
    if max(len(row["question"]), len(reference or "")) > _LONGEST:
        raise BadInput(f"{where}: a question and a reference have at most {_LONGEST} characters each")
    return {"question": row["question"], **({"reference": reference} if reference is not None else {})}
