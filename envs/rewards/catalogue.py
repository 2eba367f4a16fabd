"""The terms that come with the package; `proofgym rewards` prints this table."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from proofgym.envs.rewards import formats, language, length, repetition
from proofgym.envs.rewards.terms import Parameter, Played, TermFunction, TermKind, bind, register
from proofgym.errors import BadInput
from proofgym.verifiers import Credit, Verdict

__all__: list[str] = []

_READ = 200_000  # characters of an action that terms of form read; environments allow fewer


def _bounded(low: float, high: float) -> Callable[..., tuple[float, float]]:
    return lambda **_: (low, high)


def _number(value: Any, name: str) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise BadInput(f"{name} is a number, found {value!r}")
    return float(value)


def _numbers(given: dict[str, Any], *names: str) -> dict[str, Any]:
    return {key: _number(value, key) if key in names else value for key, value in given.items()}


def _count(value: Any, name: str, most: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= most:
        raise BadInput(f"{name} is a whole number from 1 to {most}, found {value!r}")
    return value


def _names(value: Any) -> tuple[str, ...]:
    return tuple(map(str, value)) if isinstance(value, (list, tuple)) else (str(value),) if value != "" else ()


# The environment's own judgement --------------------------------------------------------------------------------------


def _env(played: Played) -> list[Credit]:
    kept = [Credit(c.start, c.end, c.value, c.label, _said(c)) for c in played.credits]
    return kept or [Credit(0, len(played.action), played.reward, "env")]


def _said(credit: Credit) -> str:
    return f"{credit.label}: {credit.reason}" if credit.reason else credit.label


def _correctness(played: Played) -> float:
    return float(_verdict(played).correct)


def _score(played: Played) -> float:
    return _verdict(played).score


def _part(played: Played, name: str, low: float, high: float) -> float:
    verdict = _verdict(played)
    return min(high, max(low, float(verdict.parts.get(name, low))))


def _verdict(played: Played) -> Verdict:
    if played.verdict is None:
        raise BadInput(
            "this environment ends without a verdict, so correctness, score and part have nothing to look at; "
            "use `env`, and gate by `reward >= 1` or the like"
        )
    return played.verdict


def _build_part(**given: Any) -> TermFunction:
    given = _numbers(given, "low", "high")
    if not given["low"] < given["high"]:
        raise BadInput(f"part needs low < high, found {given['low']:g} and {given['high']:g}")
    return bind(_part)(**given)


for _kind in (
    TermKind(
        "env", bind(_env), "What the environment itself pays, on its own spans.",
        bounds=_bounded(float("-inf"), float("inf")), per="turn", judged=True,
    ),
    TermKind("correctness", bind(_correctness), "1 if the episode's verdict is `correct`.", per="end", judged=True),
    TermKind("score", bind(_score), "The score of the episode's verdict.", per="end", judged=True),
    TermKind(
        "part", _build_part, "A named part of the episode's verdict; the low bound where the verdict has none.",
        (
            Parameter("name", None, "the part, such as tests"),
            Parameter("low", 0.0, "what is lower counts as this"),
            Parameter("high", 1.0, "what is higher counts as this"),
        ),
        lambda **given: (given["low"], given["high"]), "end", judged=True,
    ),
):  # fmt: skip
    register(_kind)


# Form -----------------------------------------------------------------------------------------------------------------

_FORMS: dict[str, Callable[[str], formats.Form]] = {
    "think": formats.think, "answer": formats.answer_tags, "think_answer": formats.think_answer,
    "boxed": formats.boxed,
}  # fmt: skip


def _format(played: Played, kind: str, language: str, count: int, schema: Any) -> list[Credit]:
    text = played.action[:_READ]
    if kind == "tags":
        return [Credit(a, b, 0.25, "", tag) for a, b, tag in formats.tag_counts(text)]
    if kind == "fence":
        form = formats.fence(text, language, count)
    elif kind == "json":
        form = formats.json_text(text, schema or None)
    else:
        form = _FORMS[kind](text)
    return [Credit(form.start, form.end, 1.0 if form.holds else 0.0, "", form.reason or kind)]


def _build_format(**given: Any) -> TermFunction:
    known = (*_FORMS, "tags", "fence", "json")
    if given["kind"] not in known:
        raise BadInput(f"a format is one of {', '.join(known)}, found {given['kind']!r}")
    if given["schema"]:
        formats.json_text("0", given["schema"])  # refuses what cannot be read, now and not in mid-training
    _count(given["count"], "count", 100)
    return bind(_format)(**given)


def _tools(played: Played, names: Sequence[str], most: int) -> list[Credit]:
    calls = formats.tools(played.action[:_READ], names, most)
    return [Credit(c.start, c.end, (1.0 if c.holds else 0.0) / len(calls), "", c.reason or "call") for c in calls]


def _build_tools(**given: Any) -> TermFunction:
    return bind(_tools)(names=_names(given["names"]), most=_count(given["most"], "most", 1000))


def _language(played: Played, lang: language.Language, empty: float) -> float:
    text = played.action[:_READ]
    return language.consistency(text, lang) if any(language.words_by_script(text).values()) else empty


def _build_language(**given: Any) -> TermFunction:
    language.consistency("", given["lang"])
    given = _numbers(given, "empty")
    if not 0.0 <= given["empty"] <= 1.0:
        raise BadInput(f"empty lies in [0, 1], found {given['empty']:g}")
    return bind(_language)(**given)


def _repetition(played: Played, n: int) -> list[Credit]:
    return [
        Credit(a, b, value, "", f"repeats {n} words")
        for a, b, value in repetition.repeated_spans(played.action[:_READ], n)
    ]


def _build_repetition(**given: Any) -> TermFunction:
    return bind(_repetition)(n=_count(given["n"], "n", 100))


for _kind in (
    TermKind(
        "format", _build_format, "1 if the answer has the asked form, on the span that shows it.",
        (
            Parameter("kind", None, "think, answer, think_answer, tags, boxed, fence or json"),
            Parameter("language", "", "of fence: what the fence has to say"),
            Parameter("count", 1, "of fence: how many code blocks"),
            Parameter("schema", "", "of json: the path of a JSON Schema"),
        ),
        source="DeepSeek-R1 (arXiv:2501.12948), section 2.2.2; Open-R1's format, tag_count and code_format rewards",
        farm="The empty form without an answer earns all of it: gate it, or weigh it far below correctness.",
    ),
    TermKind(
        "tools", _build_tools, "The share of tool calls that are well formed and name a tool, on each call's span.",
        (
            Parameter("names", "", "the tools that there are, such as add|search; any if not given"),
            Parameter("most", 16, "calls of a turn that are looked at"),
        ),
        source="Qwen's and Hermes' form of tool calls; ToolRL's format reward (arXiv:2504.13958)",
        farm="One idle call that is well formed earns all of it: gate it.",
    ),
    TermKind(
        "language", _build_language, "The share of words in the language's script, code and formulas left out.",
        (
            Parameter("lang", None, "en or zh"),
            Parameter("empty", 0.0, "what an answer without words gets"),
        ),
        source="DeepSeek-R1 (arXiv:2501.12948), section 2.3.2",
        farm="Any sentence in the language earns all of it: gate it.",
    ),
    TermKind(
        "repetition", _build_repetition, "Minus the share of n-grams that were there before, on the spans that repeat.",
        (Parameter("n", 3, "words of an n-gram"),),
        _bounded(-1.0, 0.0),
        source="Yeo et al. (arXiv:2502.03373), the n-gram penalty; Open-R1's repetition penalty",
    ),
):  # fmt: skip
    register(_kind)


# Length ---------------------------------------------------------------------------------------------------------------

_UNIT = Parameter("unit", "characters", "characters or words")


def _brevity(played: Played, soft: float, hard: float, unit: length.Unit) -> float:
    return length.brevity(length.measure(played.action, unit), soft, hard)


def _beyond(played: Played, soft: float, hard: float, unit: length.Unit) -> float:
    return length.beyond(length.measure(played.action, unit), soft, hard)


def _overlong(played: Played, limit: float, buffer: float, unit: length.Unit) -> float:
    return length.overlong(length.measure(played.action, unit), limit, buffer)


def _cosine(
    played: Played, limit: float, right: Sequence[float], wrong: Sequence[float], exceeded: float, unit: length.Unit
) -> float:
    correct = _verdict(played).correct
    ends = {"right": (right[0], right[1]), "wrong": (wrong[0], wrong[1]), "exceeded": exceeded}
    return length.cosine(length.measure(played.action, unit), limit, correct=correct, **ends)  # type: ignore[arg-type]


def _l1(played: Played, target: float, alpha: float, unit: length.Unit) -> float:
    return length.l1_exact(length.measure(played.action, unit), target, alpha)


def _l1_max(played: Played, target: float, alpha: float, delta: float, unit: length.Unit) -> float:
    if not _verdict(played).correct:
        return 0.0
    return length.l1_max(length.measure(played.action, unit), target, alpha, delta)


def _sized(function: Callable[..., float], *numbers: str) -> Callable[..., TermFunction]:
    """A builder for a term of length, which tries the parameters once."""

    def build(**given: Any) -> TermFunction:
        if given["unit"] not in length.UNITS:
            raise BadInput(f"unit is one of {', '.join(length.UNITS)}, found {given['unit']!r}")
        built = bind(function)(**_numbers(given, *numbers))
        built(Played("", verdict=Verdict.right()))
        return built

    return build


def _build_cosine(**given: Any) -> TermFunction:
    for name in ("right", "wrong"):
        ends = given[name]
        if not isinstance(ends, (list, tuple)) or len(ends) != 2:
            raise BadInput(f"{name} is two numbers, at length 0 and at the limit, such as 2|1; found {ends!r}")
        given[name] = tuple(_number(end, name) for end in ends)
    return _sized(_cosine, "limit", "exceeded")(**given)


def _cosine_bounds(**given: Any) -> tuple[float, float]:
    values = (*given["right"], *given["wrong"], given["exceeded"])
    return min(values), max(values)


for _kind in (
    TermKind(
        "brevity", _sized(_brevity, "soft", "hard"), "1 up to a soft limit, and in a line down to 0 at a hard one.",
        (Parameter("soft", None, "a length"), Parameter("hard", None, "a length"), _UNIT),
        source="linear beyond a soft limit",
        farm="The empty answer earns all of it: gate it by `correct`.",
    ),
    TermKind(
        "beyond", _sized(_beyond, "soft", "hard"), "0 up to a soft limit, and in a line down to -1 at a hard one.",
        (Parameter("soft", None, "a length"), Parameter("hard", None, "a length"), _UNIT),
        _bounded(-1.0, 0.0), source="linear beyond a soft limit",
    ),
    TermKind(
        "overlong", _sized(_overlong, "limit", "buffer"), "DAPO's soft overlong punishment.",
        (Parameter("limit", None, "the greatest length"), Parameter("buffer", None, "the stretch before it"), _UNIT),
        _bounded(-1.0, 0.0), source="DAPO (arXiv:2503.14476), equation 13",
    ),
    TermKind(
        "cosine", _build_cosine, "Right answers earn more when short, wrong ones lose less when long.",
        (
            Parameter("limit", None, "the greatest length"),
            Parameter("right", (2.0, 1.0), "for a right answer, at length 0 and at the limit"),
            Parameter("wrong", (-10.0, 0.0), "for a wrong one"),
            Parameter("exceeded", -10.0, "at the limit and beyond"),
            _UNIT,
        ),
        _cosine_bounds, "end", source="Yeo et al. (arXiv:2502.03373), the cosine reward",
        farm="Rambling up to the limit spares a wrong answer its loss; nothing above 0 with the default ends.",
        unsolved=lambda **given: float(max(*given["wrong"], given["exceeded"])),
    ),
    TermKind(
        "l1", _sized(_l1, "target", "alpha"), "LCPO-Exact's length term, -alpha |target - length|, at least -1.",
        (Parameter("target", None, "the asked length"), Parameter("alpha", 0.0003, "loss for each unit"), _UNIT),
        _bounded(-1.0, 0.0), source="L1 (arXiv:2503.04697), LCPO-Exact",
    ),
    TermKind(
        "l1_max", _sized(_l1_max, "target", "alpha", "delta"),
        "LCPO-Max's length factor for a right answer, 0 for a wrong one.",
        (
            Parameter("target", None, "the greatest length"), Parameter("alpha", 0.0003, "for each unit"),
            Parameter("delta", 0.5, "what the target itself earns"), _UNIT,
        ),
        per="end", source="L1 (arXiv:2503.04697), LCPO-Max", judged=True,
    ),
):  # fmt: skip
    register(_kind)
