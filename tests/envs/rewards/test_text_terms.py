"""Lengths, repetition, language and form: equal to a reference by hand, total, within bounds, linear in time."""

from __future__ import annotations

import json
import math
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proofgym.envs.rewards import formats, language, length, repetition
from proofgym.errors import BadInput

texts = st.text(max_size=300) | st.text(alphabet='`$\\{}[]()<>/ab中\n "', max_size=200)
sizes = st.floats(0, 1e6)


# Length ---------------------------------------------------------------------------------------------------------------


@given(sizes, st.integers(1, 5000), st.integers(1, 5000))
def test_overlong_is_equation_13_of_dapo(size: float, cache: int, free: int) -> None:
    limit = cache + free
    if size <= limit - cache:
        expected = 0.0
    elif size <= limit:
        expected = ((limit - cache) - size) / cache
    else:
        expected = -1.0
    assert length.overlong(size, limit, cache) == pytest.approx(expected)
    assert length.beyond(size, limit - cache, limit) == length.overlong(size, limit, cache)
    assert length.brevity(size, limit - cache, limit) == pytest.approx(1.0 + expected)


def _reference_cosine(n: float, most: float, minimum: float, maximum: float) -> float:
    return minimum + 0.5 * (maximum - minimum) * (1.0 + math.cos(n * math.pi / most))


@given(sizes, st.integers(1, 5000), st.booleans())
def test_cosine_is_the_papers_with_its_hyperparameters(size: float, limit: int, correct: bool) -> None:
    ours = length.cosine(size, limit, correct=correct)
    if size >= limit:
        expected = -10.0
    elif correct:
        expected = _reference_cosine(size, limit, 1.0, 2.0)
    else:  # short and wrong is worst: the curve runs from -10 at length 0 up to 0
        expected = _reference_cosine(size, limit, 0.0, -10.0)
    assert ours == pytest.approx(expected)
    assert -10.0 <= ours <= 2.0


@given(sizes, sizes)
def test_l1_is_the_papers_and_bounded(size: float, target: float) -> None:
    assert length.l1_exact(size, target) == pytest.approx(max(-1.0, -0.0003 * abs(target - size)))
    assert length.l1_max(size, target) == pytest.approx(min(max(0.0003 * (target - size) + 0.5, 0.0), 1.0))


@given(st.lists(st.tuples(st.integers(0, 1000), st.booleans()), max_size=8))
def test_kimis_group_reward_is_the_papers(group: list[tuple[int, bool]]) -> None:
    sizes_, right = [g[0] for g in group], [g[1] for g in group]
    ours = length.group_lengths(sizes_, right)
    for value, size, correct in zip(ours, sizes_, right, strict=True):
        if max(sizes_) == min(sizes_):
            assert value == 0.0
        else:
            lam = 0.5 - (size - min(sizes_)) / (max(sizes_) - min(sizes_))
            assert value == pytest.approx(lam if correct else min(0.0, lam))
        assert -0.5 <= value <= (0.5 if correct else 0.0)


@pytest.mark.parametrize(
    "call",
    [
        lambda: length.overlong(1, 10, 0), lambda: length.overlong(1, 10, 11), lambda: length.beyond(1, 5, 5),
        lambda: length.cosine(1, 0, correct=True), lambda: length.group_lengths([1], []),
        lambda: length.beyond(1, -1, 5),
    ],
)  # fmt: skip
def test_limits_out_of_order_are_refused(call: Any) -> None:
    with pytest.raises(BadInput):
        call()


@given(texts)
def test_leaving_blanks_out_does_not_make_a_text_shorter_by_much(text: str) -> None:
    assert length.measure(text) == len(text)
    dense = "".join(text.split())
    assert length.measure(dense, "words") >= sum(map(str.isalnum, dense)) / 20


# Repetition -----------------------------------------------------------------------------------------------------------


@given(st.lists(st.sampled_from("abc"), max_size=30), st.integers(1, 4))
def test_repetition_is_open_r1s_share(words: list[str], n: int) -> None:
    grams = [tuple(words[i : i + n]) for i in range(len(words) - n + 1)]
    expected = -(1.0 - len(set(grams)) / len(grams)) if grams else 0.0
    assert repetition.repetition(words, n) == pytest.approx(expected)
    assert -1.0 < repetition.repetition(words, n) <= 0.0
    spans = repetition.repeated_spans(" ".join(words), n)
    assert math.fsum(span[2] for span in spans) == pytest.approx(expected)


@given(texts, st.integers(1, 5))
def test_repeated_spans_lie_in_the_text_in_order(text: str, n: int) -> None:
    end = 0
    for start, stop, value in repetition.repeated_spans(text, n):
        assert end <= start < stop <= len(text)
        assert -1.0 < value < 0.0
        end = stop


@pytest.mark.parametrize("loop", ["abc" * 500, "the same again " * 100, "好的" * 300, "no!" * 300])
def test_a_loop_is_seen_with_and_without_blanks(loop: str) -> None:
    spans = repetition.repeated_spans(loop, 3)
    assert math.fsum(span[2] for span in spans) < -0.7


# Language -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "lang", "share"),
    [
        ("The answer is four.", "en", 1.0), ("Die Antwort ist vier.", "en", 1.0), ("答案是四", "zh", 1.0),
        ("答案是四", "en", 0.0), ("so 四", "zh", 0.5), ("", "en", 0.0), ("42", "en", 0.0),
        ("因为 $x = y$,所以 `return x` 是对的", "zh", 1.0), ("```python\nprint('hello world')\n```\n完成", "zh", 1.0),
        ("\\[ \\alpha + \\text{word} \\] 好", "zh", 1.0), ("<think>好</think>", "zh", 1.0),
        ("see https://a.b/c 好", "zh", 0.5),
        ("ответ четыре four", "en", 1 / 3), ("an unclosed ` mark hides nothing 好", "zh", 1 / 6),
        ("angle α", "en", 1.0),
        ("カタカナ", "zh", 0.0), ("costs $5 and nothing more", "en", 1.0),
    ],
)  # fmt: skip
def test_consistency_counts_words_of_the_script_outside_code_and_formulas(text: str, lang: Any, share: float) -> None:
    assert language.consistency(text, lang) == pytest.approx(share)


@given(texts)
def test_consistency_is_total_and_a_share(text: str) -> None:
    assert len(language.prose(text)) == len(text)
    shares = [language.consistency(text, lang) for lang in language.LANGUAGES]
    assert all(0.0 <= share <= 1.0 for share in shares)
    assert sum(shares) <= 1.0 + 1e-9


# Form -----------------------------------------------------------------------------------------------------------------

GOOD = {
    "think": ["<think>a</think>b", " \n<think>\na\n</think>\n\nb", "<think>a</think><answer>4</answer>"],
    "answer_tags": ["<answer>4</answer>", "so <answer>4</answer>\n"],
    "think_answer": ["<think>a</think><answer>b</answer>", "<think>\na\n</think>\n<answer>\nb\n</answer>\n"],
    "boxed": ["\\boxed{4}", "so $\\boxed{\\frac{1}{2}}$.", "\\boxed{\\}}"],
    "fence": ["```\nx\n```", "say\n```python\nx = 1\n```\nthere"],
    "json_text": ["{}", " [1, 2]\n", '"a"', "```json\n{}\n```", "```\n[1]\n```", "-3.5e2"],
}
BAD = {
    "think": [
        "", "b", "<think>a</think>", "<think></think>b", "<think>a b", "a<think>b</think>c", "<think>a</think>b<think>",
        "<think>a<think>b</think>c", "<think>a</think>b</think>", "<THINK>a</THINK>b", "<think> </think>b",
    ],
    "answer_tags": ["", "4", "<answer></answer>", "<answer>4", "<answer>4</answer>5",
                    "<answer>4</answer><answer>5</answer>"],
    "think_answer": [
        "<think>a</think>b", "<think>a</think>x<answer>b</answer>", "<answer>b</answer>",
        "<think>a</think><answer></answer>",
        "<think>a<answer>b</answer></think>", "<think>a</think><answer>b</answer>c",
        "x<think>a</think><answer>b</answer>",
    ],
    "boxed": ["", "4", "\\boxed{}", "\\boxed{ }", "\\boxed{4", "\\boxed{4}\\boxed{4}",
              "\\boxed{{4}", "\\boxed 4", "\\boxed{\\}"],
    "fence": ["", "x", "```\n```", "```\nx", "```x```", "```\nx\n```\n```\ny\n```", "```\n \n```"],
    "json_text": [
        "", "x", "{'a': 1}", "{} {}", "NaN", "Infinity", '{"a": 1, "a": 2}', "[" * 100_000, "[" * 65 + "]" * 65,
        "1" * 5000,
        "```json\n{}", "so ```json\n{}\n```", "[1,]",
    ],
}  # fmt: skip


@pytest.mark.parametrize(("kind", "text"), [(kind, text) for kind, found in GOOD.items() for text in found])
def test_a_text_of_the_form_holds(kind: str, text: str) -> None:
    form = getattr(formats, kind)(text)
    assert form.holds, form.reason
    assert not form.reason
    assert text[form.start : form.end].strip()


@pytest.mark.parametrize(("kind", "text"), [(kind, text) for kind, found in BAD.items() for text in found])
def test_a_text_without_the_form_does_not_and_says_why(kind: str, text: str) -> None:
    form = getattr(formats, kind)(text)
    assert not form.holds
    assert form.reason


@pytest.mark.parametrize("kind", GOOD)
@given(text=texts)
def test_every_text_has_a_form_inside_itself(kind: str, text: str) -> None:
    form = getattr(formats, kind)(text)
    assert 0 <= form.start <= form.end <= len(text)
    assert form.holds is (form.reason == "")


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda s: st.lists(s) | st.dictionaries(st.text(), s),
        max_leaves=10,
    )
)
def test_every_json_value_reads_back(value: Any) -> None:
    assert formats.json_text(json.dumps(value)).holds


def test_the_language_of_a_fence_is_looked_at() -> None:
    assert formats.fence("```Python\nx\n```", "python").holds
    assert "not 'python'" in formats.fence("```js\nx\n```", "python").reason
    assert formats.fence("```\nx\n```\n```\ny\n```", count=2).holds


SCHEMA = {
    "type": "object", "required": ["answer"], "additionalProperties": False,
    "properties": {"answer": {"type": "integer"}, "why": {"type": "array", "uniqueItems": True, "items": {}}},
}  # fmt: skip


def test_a_schema_decides(tmp_path: Path) -> None:
    pytest.importorskip("jsonschema")
    path = tmp_path / "schema.json"
    path.write_text(json.dumps(SCHEMA), encoding="utf-8")
    for schema in (SCHEMA, path, str(path)):
        assert formats.json_text('{"answer": 4, "why": [1, "1", [1]]}', schema).holds
        assert "answer" in formats.json_text('{"answer": "4"}', schema).reason
        assert not formats.json_text('{"answer": 4, "more": 1}', schema).holds
        assert "twice" not in formats.json_text('{"answer": 4, "why": [[1], 1]}', schema).reason
        assert not formats.json_text('{"answer": 4, "why": [{"a": 1}, {"a": 1}]}', schema).holds


@pytest.mark.parametrize(
    "schema",
    [{"type": "string", "pattern": "(a+)+$"}, {"patternProperties": {"(a+)+$": {}}}, {"type": 3},
     "/no/such/schema.json",
     {"items": [{"format": "email"}]}],
)  # fmt: skip
def test_schemas_that_would_run_patterns_or_are_none_are_refused(schema: Any) -> None:
    pytest.importorskip("jsonschema")
    with pytest.raises(BadInput):
        formats.json_text('"aaaa"', schema)


def test_a_property_may_be_called_pattern() -> None:
    pytest.importorskip("jsonschema")
    assert formats.json_text('{"pattern": "x"}', {"properties": {"pattern": {"type": "string"}}}).holds


def test_tool_calls_are_read_one_by_one() -> None:
    call = '<tool_call>{"name": "add", "arguments": {"a": 1}}</tool_call>'
    found = formats.tools(call + call.replace("add", "rm") + "<tool_call>{}</tool_call><tool_call>{", ["add"])
    assert [form.holds for form in found] == [True, False, False, False]
    assert "'rm'" in found[1].reason
    assert len(formats.tools(call * 50, most=5)) == 5


HOSTILE = [
    "`" * 200_000, "$" * 199_999, "\\boxed{" * 30_000, "{" * 200_000, "<think>" * 30_000, "<tool_call>" * 20_000,
    "<answer>" + " " * 200_000, "```\n" * 50_000, "a" * 200_000, "a " * 100_000, "\\(" * 100_000, "https://" * 25_000,
    '["' * 100_000, '"' + "\\" * 199_999, "[" + "1," * 49_999 + '"x"]', " " * 200_000, "<" * 200_000, "好" * 200_000,
]  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: repr(text[:8]))
def test_hostile_text_costs_bounded_time(text: str) -> None:
    started = time.process_time()
    for kind in GOOD:
        getattr(formats, kind)(text)
    formats.tools(text)
    formats.tag_counts(text)
    language.consistency(text, "en")
    repetition.repeated_spans(text, 3)
    length.measure(text, "words")
    assert time.process_time() - started < 3.0  # all of it together; one pattern that backtracks takes minutes


def test_a_schema_with_unique_items_reads_a_long_mixed_list_quickly() -> None:
    pytest.importorskip("jsonschema")
    mixed = json.dumps([n if n % 2 else [n] for n in range(12_000)])
    started = time.process_time()
    assert formats.json_text(mixed, {"uniqueItems": True}).holds
    assert time.process_time() - started < 3.0
