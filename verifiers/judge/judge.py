"""A judge: a chat model that fills in a rubric about an answer, and everything that keeps it honest.

In this order, each step only where the ones before it did not decide:

1. *rules* and *symbols*: a reference that the answer plainly equals, or plainly differs from (`rules.py`);
2. *gate*: an empty answer, a single token, the question repeated, or a mere announcement scores nothing;
3. *detector*: an answer that talks to its judge is malformed (`detector.py`);
4. *model*: several filled rubrics and a vote. The text is quoted as data under a token (`quoting.py`), the reply has to
   repeat that token, and a mark counts only if the answer that the judge quotes stands in the text;
5. *second look*: a pass counts only if the quoted answer passes alone, without the text around it. Whatever talked the
   judge round from there, in whatever words, is not read this time.

A judge that cannot be reached, does not write what can be read, quotes what is not there, splits evenly, or takes its
pass back at the second look raises `Unjudged`. It never becomes a 0.
"""

from __future__ import annotations

import statistics
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from proofgym.chat import ChatModel, Reply, Usage
from proofgym.errors import BadInput, ProofgymError, Unjudged
from proofgym.verifiers.credit import Credit
from proofgym.verifiers.judge import prompt, rules
from proofgym.verifiers.judge.detector import Flag, flags, opener
from proofgym.verifiers.judge.quoting import Shown, fold, neutralise, token
from proofgym.verifiers.judge.replies import Filled, Unreadable, fill
from proofgym.verifiers.judge.rubric import Rubric, load
from proofgym.verifiers.verdict import Verdict

__all__ = ["BoundJudge", "Defences", "Judge", "JudgeConfig", "Judgement", "Undecided", "ask"]

_REASON = 500  # characters of a critique that a verdict keeps
_WHOLE = 0.8  # share of a text from which a quote is the text
_FAULT = 0.1  # reward units that a quoted fault moves


class Undecided(Unjudged):
    """The judge was asked and nothing came of it; what that cost is told.

    Args:
        calls: Requests to the model.
        usage: Tokens spent on them.
        flags: Passages of the answer that address the judge.
    """

    def __init__(self, why: str, calls: int = 0, usage: Usage | None = None, flags: Sequence[Flag] = ()) -> None:
        super().__init__(why)
        self.calls, self.usage, self.flags = calls, usage or Usage(), tuple(flags)


@dataclass(frozen=True, slots=True)
class Defences:
    """Which defences are up; all of them by default. Taking one down is for measuring what it is worth.

    Args:
        rules: Rules and symbolic checks decide what they can before the model is asked.
        gate: Empty, one-token and merely announcing answers score nothing.
        quoting: The text is neutralised and quoted under a token that the reply has to repeat.
        detector: An answer that addresses the judge is `malformed`; `report` judges it all the same and reports the
            flags; `off` does not look.
        evidence: A mark counts only if the final answer that the judge quotes stands in the text. For rubrics that ask
            for evidence.
        second_look: A pass counts only if the quoted final answer passes alone. Needs evidence; costs one more request
            for an answer that passes, unless the quote is nearly the whole text.
    """

    rules: bool = True
    gate: bool = True
    quoting: bool = True
    detector: Literal["malformed", "report", "off"] = "malformed"
    evidence: bool = True
    second_look: bool = True

    @classmethod
    def none(cls) -> Defences:
        """The judge as it is usually built."""
        return cls(rules=False, gate=False, quoting=False, detector="off", evidence=False, second_look=False)


@dataclass(frozen=True, slots=True)
class JudgeConfig:
    """How a judge asks its model.

    Args:
        samples: Filled rubrics that vote; odd numbers cannot tie.
        temperature: By default 0 for one sample and 0.7 for several, which would all be the same at 0.
        max_tokens: Of one reply.
        seed: Of the tokens and the samples. Somebody who does not know it cannot compute a call's token.
        max_chars: Of one answer; a longer one is over its limit, and is not read.
        repairs: How often a reply that cannot be read is asked again.
        structured: Whether the server is asked for output that fits a JSON schema.
        defences: Which defences are up.
    Raises:
        BadInput: For values out of range.
    """

    samples: int = 1
    temperature: float | None = None
    max_tokens: int = 700
    seed: int = 0
    max_chars: int = 12_000
    repairs: int = 1
    structured: bool = True
    defences: Defences = field(default_factory=Defences)

    def __post_init__(self) -> None:
        """Refuse what could not be obeyed."""
        if not 1 <= self.samples <= 64 or not 0 <= self.repairs <= 3:
            raise BadInput(f"samples lie in [1, 64] and repairs in [0, 3], found {self.samples} and {self.repairs}")
        if self.samples > 1 and self.temperature == 0:
            raise BadInput(f"{self.samples} samples at temperature 0 are one sample; raise it or ask once")
        if self.temperature is not None and not 0 <= self.temperature <= 2:
            raise BadInput(f"the temperature lies in [0, 2], found {self.temperature}")
        if not 16 <= self.max_tokens <= 100_000 or not 1 <= self.max_chars <= 100_000:
            raise BadInput("max_tokens lies in [16, 100000] and max_chars in [1, 100000]")

    @property
    def heat(self) -> float:
        """The temperature that is used."""
        return self.temperature if self.temperature is not None else (0.0 if self.samples == 1 else 0.7)


@dataclass(frozen=True, slots=True)
class Judgement:
    """A verdict and how it came about.

    Args:
        verdict: Its parts are the criteria, each in [0, 1], and the `agreement` where a model was asked.
        decided_by: `rules`, `symbols`, `gate`, `limit`, `detector` or `model`.
        samples: The filled rubrics that voted.
        lost: Samples that came to nothing: not readable, or without their evidence.
        agreement: The share of voting samples that are on the verdict's side of the pass mark; `None` without a model.
        belief: How likely the answer passes, in [0, 1], by the judge: from the marks' own likelihoods where the model
            tells them, else the mean score of the samples; `None` without a model.
        flags: Passages of the answer that address the judge.
        faults: Passages of the answer that the judge quoted as faulty, and why; quotes that do not occur are left out.
        unlocated: How many quotes do not occur.
        answer_span: Where the final answer stands that the judge quoted.
        calls: Requests to the model, those among them that a cache answered, for no tokens.
        usage: Tokens spent on them.
    """

    verdict: Verdict
    decided_by: str
    samples: tuple[Filled, ...] = ()
    lost: int = 0
    agreement: float | None = None
    belief: float | None = None
    flags: tuple[Flag, ...] = ()
    faults: tuple[tuple[int, int, str], ...] = ()
    unlocated: int = 0
    answer_span: tuple[int, int] | None = None
    calls: int = 0
    usage: Usage = field(default_factory=Usage)

    def to_json(self) -> dict[str, Any]:
        """A plain dictionary for logs."""
        return {
            "verdict": self.verdict.to_json(), "decided_by": self.decided_by, "lost": self.lost,
            "agreement": self.agreement, "belief": self.belief,
            "samples": [
                {"marks": dict(one.marks), "critique": one.critique, "final_answer": one.final_answer}
                for one in self.samples
            ],
            "flags": [[flag.kind, flag.start, flag.end, flag.text] for flag in self.flags],
            "faults": [list(fault) for fault in self.faults], "unlocated": self.unlocated, "calls": self.calls,
            "prompt_tokens": self.usage.prompt_tokens, "completion_tokens": self.usage.completion_tokens,
        }  # fmt: skip


class Judge:
    """Judges answers by a rubric with a chat model; bind it to a question to get a `Verifier`.

    Args:
        model: Anything with the `complete` of `proofgym.chat.ChatModel`: an API, a local model, a policy, a script.
        rubric: A rubric, or the name of a shipped one, or the path of a YAML file.
        config: How the model is asked.
    Raises:
        BadInput: If the rubric cannot be loaded.
    """

    def __init__(
        self, model: ChatModel, rubric: Rubric | str = "answer-equivalence", config: JudgeConfig | None = None
    ) -> None:
        self.model = model
        self.rubric = load(rubric) if isinstance(rubric, str) else rubric
        self.config = config or JudgeConfig()

    def bind(self, question: str, reference: str | None = None) -> BoundJudge:
        """This judge for one question.

        Raises:
            BadInput: If the rubric needs a reference and there is none, or a text is far too long.
        """
        if reference is None and self.rubric.needs_reference:
            raise BadInput(f"the rubric {self.rubric.name!r} compares with a reference answer; give one")
        if len(question) > 100_000 or len(reference or "") > 100_000:
            raise BadInput("a question and a reference have at most 100000 characters each")
        return BoundJudge(self, question, reference)


class BoundJudge:
    """A judge bound to one question: `verify`, `credits`, and `examine` for everything about it.

    Answers judged a moment ago are remembered, so that `verify` and `credits` of one answer ask the model once.
    """

    def __init__(self, judge: Judge, question: str, reference: str | None) -> None:
        self.judge, self.question, self.reference = judge, question, reference
        self._known: dict[str, Judgement] = {}
        self._lock = threading.Lock()

    def verify(self, answer: str) -> Verdict:
        """Judge one answer; see `examine`."""
        return self.examine(answer).verdict

    def credits(self, answer: str) -> list[Credit]:
        """The reward on spans of the answer: critique where the judge quoted a fault, the rest at the final answer.

        What the text before the first fault gains, the faults lose again, so that the sum stays the verdict's score
        and the fault is where the value drops.

        Raises:
            Unjudged: As `examine` does.
        """
        found = self.examine(answer)
        credits_: list[Credit] = []
        faults = sorted(found.faults)
        if faults and found.verdict.score < 1.0:
            first = faults[0][0]
            credits_.append(Credit(0, first, _FAULT * len(faults), "critique", "no fault was quoted up to here"))
            credits_ += [Credit(start, end, -_FAULT, "critique", why) for start, end, why in faults]
        start, end = found.answer_span or (0, len(answer))
        credits_.append(Credit(start, end, found.verdict.score, "judge", found.verdict.reason))
        return credits_

    def examine(self, answer: str) -> Judgement:
        """Judge one answer and tell how.

        Raises:
            Unjudged: If the model cannot be reached, or `Undecided` if nothing came of asking it.
        """
        with self._lock:
            known = self._known.get(answer)
        if known is not None:
            return known
        found = self._examine(answer)
        with self._lock:
            if len(self._known) >= 64:
                self._known.pop(next(iter(self._known)))
            self._known[answer] = found
        return found

    # Inside -----------------------------------------------------------------------------------------------------------

    def _examine(self, answer: str) -> Judgement:
        config = self.judge.config
        if len(answer) > config.max_chars:
            why = f"at most {config.max_chars} characters are judged, found {len(answer)}"
            return Judgement(Verdict.limit(why), "limit")
        if config.defences.rules and self.reference is not None:
            for name, rule in (("rules", rules.plain), ("symbols", rules.symbolic)):
                verdict = rule(self.reference, answer)
                if verdict is not None:
                    return Judgement(verdict, name)
        shown = neutralise(answer)
        if config.defences.gate:
            why = self._nothing(answer, shown)
            if why:
                return Judgement(Verdict.wrong(why), "gate")
        raised = self._raised(answer, shown) if config.defences.detector != "off" else ()
        if raised and config.defences.detector == "malformed":
            why = f"it addresses its judge ({raised[0].kind}): {raised[0].text!r}"
            return Judgement(Verdict.malformed(why, flags=float(len(raised))), "detector", flags=raised)
        return self._ask_model(answer, shown, raised)

    def _raised(self, answer: str, shown: Shown) -> tuple[Flag, ...]:
        """Flags, but for words that the question or the reference uses: an answer may repeat those."""
        asked = " ".join(fold(f"{self.question} {self.reference or ''}").casefold().split())
        return tuple(flag for flag in flags(answer, shown) if " ".join(fold(flag.text).casefold().split()) not in asked)

    def _nothing(self, answer: str, shown: Shown) -> str:
        """Why a text is no answer that a judge may reward; empty if it may be one."""
        words = _tokens(shown.text)
        if not words:
            return "it is empty"
        if len(words) == 1:
            return "a single token scores only where rules can tell that it is right"
        if opener(answer):
            return "it announces an answer and gives none"
        if words == _tokens(self.question):
            return "it repeats the question"
        return ""

    def _ask_model(self, answer: str, shown: Shown, raised: tuple[Flag, ...]) -> Judgement:
        judge, config = self.judge, self.judge.config
        rubric = judge.rubric if config.defences.evidence else replace(judge.rubric, evidence=False)
        mark: str | None = None
        if config.defences.quoting:
            mark = token(config.seed, rubric.name, rubric.task, self.question, self.reference or "", answer)
            reference = None if self.reference is None else neutralise(self.reference).text
            messages = prompt.single(rubric, neutralise(self.question).text, reference, shown.text, mark)
        else:
            messages = prompt.naive(rubric, self.question, self.reference, answer)
        filled: list[Filled] = []
        beliefs: list[float] = []
        calls, usage, last = 0, Usage(), ""
        for sample in range(config.samples):
            try:
                one, reply, asked, spent = ask(
                    judge.model, messages, config, sample, rubric.schema(mark), lambda text: fill(text, rubric, mark)
                )
            except Undecided as error:
                calls, usage, last = calls + error.calls, usage + error.usage, str(error)
                continue
            calls, usage = calls + asked, usage + spent
            if rubric.evidence and rubric.score(one.marks) > 0 and shown.locate(one.final_answer) is None:
                last = f"the judge quotes {one.final_answer[:60]!r} as the answer, which is not in the text"
                continue
            filled.append(one)
            beliefs.append(_belief(reply, rubric, one))
        lost = config.samples - len(filled)
        if 2 * len(filled) <= config.samples:
            why = f"{lost} of {config.samples} samples came to nothing; the last because: {last}"
            raise Undecided(why, calls, usage, raised)
        found = self._vote(filled, beliefs, rubric, shown, lost=lost, flags=raised, calls=calls, usage=usage)
        if found.verdict.correct and rubric.evidence and config.defences.second_look and found.answer_span is not None:
            return self._look_again(answer, found)
        return found

    def _look_again(self, answer: str, found: Judgement) -> Judgement:
        """Let the quoted answer stand for itself.

        Raises:
            Undecided: If it does not pass alone.
        """
        start, end = found.answer_span or (0, len(answer))
        quote = answer[start:end]
        if len(quote) >= _WHOLE * len(answer.strip()):
            return found
        if self.reference is not None:
            for rule in (rules.plain, rules.symbolic):
                verdict = rule(self.reference, quote)
                if verdict is not None and verdict.correct:
                    return found
        judge, config = self.judge, self.judge.config
        # The rules have spoken, and a quote may well be a single word.
        bare = replace(config.defences, rules=False, gate=False, second_look=False)
        alone = replace(config, samples=1, temperature=0.0, defences=bare)
        again = BoundJudge(Judge(judge.model, judge.rubric, alone), self.question, self.reference)
        calls, usage = found.calls, found.usage
        try:
            second = again._examine(quote)
            why = second.verdict.reason or "no reason given"
            calls, usage = calls + second.calls, usage + second.usage
            if second.verdict.correct:
                return replace(found, calls=calls, usage=usage)
        except Undecided as error:
            why, calls, usage = str(error), calls + error.calls, usage + error.usage
        raise Undecided(f"the quoted answer {quote[:60]!r} does not pass alone: {why}", calls, usage, found.flags)

    def _vote(
        self, filled: list[Filled], beliefs: list[float], rubric: Rubric, shown: Shown,
        *, lost: int, flags: tuple[Flag, ...], calls: int, usage: Usage,
    ) -> Judgement:  # fmt: skip
        marks = {c.name: int(statistics.median_low([one.marks[c.name] for one in filled])) for c in rubric.criteria}
        passed = rubric.verdict(marks, "").correct
        same_side = [one for one in filled if rubric.verdict(one.marks, "").correct == passed]
        agreement = len(same_side) / len(filled)
        if agreement <= 0.5:
            raise Undecided(
                f"{len(same_side)} of {len(filled)} samples agree, which is no majority", calls, usage, flags
            )
        nearest = max(same_side, key=lambda one: sum(one.marks[name] == mark for name, mark in marks.items()))
        faults: dict[tuple[int, int], str] = {}
        unlocated = 0
        for fault in nearest.faults:
            place = shown.locate(fault.quote)
            unlocated += place is None
            if place is not None and not any(place[0] < end and start < place[1] for start, end in faults):
                faults[place] = fault.why[:_REASON]
        extra = {"agreement": agreement} | ({"flags": float(len(flags))} if flags else {})
        reason = " ".join(nearest.critique.split())[:_REASON]
        return Judgement(
            rubric.verdict(marks, reason, **extra), "model", tuple(filled), lost, agreement, statistics.fmean(beliefs),
            flags, tuple((*place, why) for place, why in faults.items()), unlocated,
            shown.locate(nearest.final_answer) if nearest.final_answer else None, calls, usage,
        )  # fmt: skip


def ask(
    model: ChatModel,
    messages: list[prompt.Message],
    config: JudgeConfig,
    sample: int,
    schema: dict[str, Any],
    read: Any,
) -> tuple[Any, Reply, int, Usage]:
    """Ask until a reply can be read, at most `1 + config.repairs` times.

    Returns:
        What `read` made of the reply, the reply, how many requests it took, and what they cost.
    Raises:
        Undecided: If no reply could be read.
        Unjudged: If the model cannot be reached, or breaks.
        BadInput: If the model says that it is set up wrongly, such as without a key.
    """
    usage, why = Usage(), ""
    sampled = int(token(config.seed, *(str(message["content"]) for message in messages), str(sample)), 16)
    for attempt in range(1 + config.repairs):
        try:
            reply = model.complete(
                messages, temperature=config.heat, max_tokens=config.max_tokens, seed=(sampled + attempt) % 2**31,
                json_schema=schema if config.structured else None,
            )  # fmt: skip
        except ProofgymError:  # unreachable, or a mistake in how the model was set up
            raise
        except (OSError, RuntimeError, ValueError, LookupError, TypeError) as error:
            raise Unjudged(f"the judge {model.name} broke ({type(error).__name__}: {error})") from error
        usage = usage + reply.usage
        try:
            return read(reply.text), reply, attempt + 1, usage
        except Unreadable as error:
            why = f"the judge's reply was cut after {config.max_tokens} tokens" if reply.cut else str(error)
            messages = prompt.again(messages, reply.text, str(error))
    raise Undecided(why, 1 + config.repairs, usage)


def _belief(reply: Reply, rubric: Rubric, filled: Filled) -> float:
    """How likely the answer passes: from the likelihoods of the marks, if the model tells them."""
    told = getattr(reply, "likelihoods", None)
    if not told:
        return rubric.score(filled.marks)
    summed = weights = 0.0
    for criterion in rubric.criteria:
        by_mark = told.get(criterion.name, {})
        weights += criterion.weight
        for mark in criterion.scale:
            summed += criterion.weight * float(by_mark.get(str(mark), 0.0)) * criterion.share(mark)
    return min(1.0, summed / weights)


def _tokens(text: str) -> list[str]:
    """Words, numbers and, in scripts without blanks, characters."""
    found: list[str] = []
    word = ""
    for char in text.casefold():
        if char.isalnum() and ord(char) < 0x2E80:
            word += char
            continue
        if word:
            found.append(word)
            word = ""
        if char.isalnum():
            found.append(char)
    return [*found, word] if word else found
