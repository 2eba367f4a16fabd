"""Learned reward models as verifiers: one score for a whole answer, or one for every step of it.

Both are transformers models in this process. Their scores are opinions, like a judge's: calibrate them against labels
(`calibration.Platt`), and let rules decide first (`cascade`). A learned score alone never makes an answer correct
unless a threshold is given.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal

from proofgym.errors import BadInput, Unjudged, need
from proofgym.verifiers.credit import Credit
from proofgym.verifiers.judge.quoting import neutralise
from proofgym.verifiers.verdict import Status, Verdict

__all__ = ["BoundReward", "BoundSteps", "ProcessRewardModel", "RewardModel", "steps"]

Fold = Literal["min", "product", "last", "mean"]


class _Scorer:
    """A model, its tokenizer, and one forward pass at a time."""

    def __init__(self, model: Any, tokenizer: Any, name: str) -> None:
        self.model, self.tokenizer, self.name = model, tokenizer, name
        self._lock = threading.Lock()

    def encode(self, text: str) -> list[int]:
        return [int(i) for i in self.tokenizer(text, add_special_tokens=False)["input_ids"]]

    def opening(self, question: str, answer: str | None) -> str:
        """The conversation as text; with `None`, up to where the answer begins."""
        messages = [{"role": "user", "content": neutralise(question).text}]
        if not getattr(self.tokenizer, "chat_template", None):
            return f"{messages[0]['content']}\n" + ("" if answer is None else answer)
        if answer is not None:
            messages.append({"role": "assistant", "content": answer})
        found = self.tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=answer is None)
        return str(found)

    def logits(self, ids: list[int]) -> Any:
        torch = need("torch", "train")
        limit = int(getattr(self.model.config, "max_position_embeddings", 0) or 0)
        if limit and len(ids) > limit:
            raise Unjudged(f"question and answer have {len(ids)} tokens and {self.name} reads {limit}")
        with self._lock, torch.inference_mode():
            out = self.model(input_ids=torch.tensor([ids], device=next(self.model.parameters()).device))
            found = out.logits[0].double().cpu()
        if not bool(torch.isfinite(found).all()):
            raise Unjudged(f"{self.name} gave a score that is no number")
        return found


def _loaded(kind: str, path: str) -> tuple[Any, Any]:
    transformers = need("transformers", "train")
    try:
        model = getattr(transformers, kind).from_pretrained(path).eval()
        return model, transformers.AutoTokenizer.from_pretrained(path)
    except (OSError, KeyError, ValueError) as error:
        first = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise BadInput(f"no reward model could be loaded from {path!r}: {first}") from error


class RewardModel(_Scorer):
    """A sequence-classification model that scores a question and an answer.

    One label is a logit; of two, the second stands for "good". The answer's template tokens and invisible characters
    are made harmless first.

    Args:
        model, tokenizer: From transformers; the model in evaluation mode.
        name: For messages.
        threshold: The probability from which an answer is correct; without it every verdict is partial or wrong.
        mapping: From the model's probability to a calibrated one, such as `calibration.Platt`.
    Raises:
        BadInput: For a model with another number of labels.
    """

    def __init__(
        self, model: Any, tokenizer: Any, name: str = "reward model", *, threshold: float | None = None,
        mapping: Callable[[float], float] | None = None,
    ) -> None:  # fmt: skip
        super().__init__(model, tokenizer, name)
        if int(model.config.num_labels) not in (1, 2):
            raise BadInput(f"a reward model has one label or two, found {model.config.num_labels}")
        if threshold is not None and not 0 < threshold <= 1:
            raise BadInput(f"a threshold lies in (0, 1], found {threshold}")
        self.threshold, self.mapping = threshold, mapping

    @classmethod
    def load(cls, path: str, *, threshold: float | None = None) -> RewardModel:
        """Load a folder, or a name on the hub.

        Raises:
            BadInput: If nothing loadable is there.
        """
        return cls(*_loaded("AutoModelForSequenceClassification", path), path, threshold=threshold)

    def score(self, question: str, answer: str) -> float:
        """The probability in [0, 1] that the answer is good, as the model has it.

        Raises:
            Unjudged: If the text is longer than the model reads, or the score is no number.
        """
        ids = self.encode(self.opening(question, neutralise(answer).text))
        row = self.logits(ids).tolist()
        logit = row[0] if len(row) == 1 else row[1] - row[0]
        p = 1 / (1 + math.exp(-max(-700.0, min(700.0, logit))))
        return min(1.0, max(0.0, self.mapping(p))) if self.mapping is not None else p

    def bind(self, question: str, reference: str | None = None) -> BoundReward:
        """This model for one question: a `Verifier`. A reference is not read."""
        return BoundReward(self, question)


@dataclass(frozen=True, slots=True)
class BoundReward:
    """A reward model bound to one question."""

    model: RewardModel
    question: str

    def verify(self, answer: str) -> Verdict:
        """The score as a verdict; an answer without a visible character is wrong, whatever the model says."""
        if not neutralise(answer).text.strip():
            return Verdict.wrong("it is empty")
        p = self.model.score(self.question, answer)
        return _verdict(p, self.model.threshold, f"{self.model.name} gives {p:.3f}", learned=p)

    def credits(self, answer: str) -> list[Credit]:
        """The score on the whole answer."""
        verdict = self.verify(answer)
        return [Credit(0, len(answer), verdict.score, "learned", verdict.reason)]


class ProcessRewardModel(_Scorer):
    """A token-classification model that scores every step of an answer, as TRL's `PRMTrainer` trains them.

    Each step is followed by the separator, and read where that ends: the second of two labels is "sound".

    Args:
        model, tokenizer: From transformers; the model in evaluation mode.
        separator: Written after each step.
        fold: What the steps' probabilities make of the answer: the least, the product, the last, or the mean.
        threshold: As for `RewardModel`.
    Raises:
        BadInput: For a model without exactly two labels, or an empty separator.
    """

    def __init__(
        self, model: Any, tokenizer: Any, name: str = "process reward model", *, separator: str = "\n",
        fold: Fold = "min", threshold: float | None = None,
    ) -> None:  # fmt: skip
        super().__init__(model, tokenizer, name)
        if int(model.config.num_labels) != 2 or not separator:
            raise BadInput(f"a process reward model has two labels and a separator, found {model.config.num_labels}")
        self.separator, self.fold, self.threshold = separator, fold, threshold

    @classmethod
    def load(cls, path: str, *, separator: str = "\n", fold: Fold = "min") -> ProcessRewardModel:
        """Load a folder, or a name on the hub.

        Raises:
            BadInput: If nothing loadable is there.
        """
        return cls(*_loaded("AutoModelForTokenClassification", path), path, separator=separator, fold=fold)

    def scores(self, question: str, pieces: Sequence[str]) -> list[float]:
        """For every step, the probability that it is sound.

        Raises:
            Unjudged: If the text is longer than the model reads, or a score is no number.
        """
        ids = self.encode(self.opening(question, None))
        ends = []
        for piece in pieces:
            ids += self.encode(neutralise(piece).text + self.separator)
            ends.append(len(ids) - 1)
        logits = self.logits(ids)
        differences = (logits[:, 1] - logits[:, 0])[ends].tolist()
        return [1 / (1 + math.exp(-max(-700.0, min(700.0, x)))) for x in differences]

    def bind(self, question: str, reference: str | None = None) -> BoundSteps:
        """This model for one question: a `Verifier` with credits. A reference is not read."""
        return BoundSteps(self, question)


@dataclass(frozen=True, slots=True)
class BoundSteps:
    """A process reward model bound to one question."""

    model: ProcessRewardModel
    question: str

    def verify(self, answer: str) -> Verdict:
        """The folded scores of the steps as a verdict."""
        return self._judge(answer)[0]

    def credits(self, answer: str) -> list[Credit]:
        """What each step adds to the score: its own for the first, then the change, so that they sum to the score."""
        return self._judge(answer)[1]

    def _judge(self, answer: str) -> tuple[Verdict, list[Credit]]:
        spans = steps(answer)
        if not spans:
            return Verdict.wrong("it is empty"), []
        model = self.model
        scores = model.scores(self.question, [answer[start:end] for start, end in spans])
        running = [_fold(scores[: i + 1], model.fold) for i in range(len(scores))]
        weakest = scores.index(min(scores))
        reason = f"{len(scores)} steps, the weakest is step {weakest + 1} with {scores[weakest]:.3f}"
        verdict = _verdict(running[-1], model.threshold, reason, steps=float(len(scores)), weakest=scores[weakest])
        changes = [running[0], *(after - before for before, after in pairwise(running))]
        if verdict.score != running[-1]:  # over the threshold: correct is 1, and the last step brings the rest
            changes[-1] += verdict.score - running[-1]
        credits_ = [
            Credit(start, end, change, "step", f"sound with {score:.3f}")
            for (start, end), change, score in zip(spans, changes, scores, strict=True)
        ]
        return verdict, credits_


def steps(answer: str) -> list[tuple[int, int]]:
    """The spans of an answer's steps: its paragraphs if it has several, else its lines; at most 200.

    >>> text = "Add them.\\n\\nSo it is 5."
    >>> [text[start:end] for start, end in steps(text)]
    ['Add them.', 'So it is 5.']
    """
    parts = "\n\n" if "\n\n" in answer.strip() else "\n"
    spans = []
    at = 0
    for piece in answer.split(parts):
        start = at + len(piece) - len(piece.lstrip())
        end = at + len(piece.rstrip())
        if end > start and neutralise(piece).text.strip():
            spans.append((start, end))
        at += len(piece) + len(parts)
    if len(spans) > 200:
        spans = [*spans[:199], (spans[199][0], spans[-1][1])]
    return spans


def _fold(scores: Sequence[float], fold: Fold) -> float:
    if fold == "min":
        return min(scores)
    if fold == "product":
        return math.prod(scores)
    return scores[-1] if fold == "last" else math.fsum(scores) / len(scores)


def _verdict(p: float, threshold: float | None, reason: str, **parts: float) -> Verdict:
    if threshold is not None and p >= threshold:
        return Verdict(Status.CORRECT, 1.0, reason, parts)
    return Verdict.partial(min(p, 1 - 1e-9), reason, **parts)
