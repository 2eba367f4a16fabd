r"""Whether a text has the asked form: thinking and answer in tags, a box, a code fence, JSON by a schema, tool calls.

Everything here walks over the text once with `str.find` and counts; no pattern backtracks, so hostile text costs time
in proportion to its length. Each check says what it found as a `Form`: whether the form holds, the span that shows it,
and why it does not hold.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from proofgym.errors import BadInput, need

__all__ = [
    "Form",
    "answer_tags",
    "boxed",
    "boxes",
    "fence",
    "json_text",
    "tag_counts",
    "think",
    "think_answer",
    "tools",
]

_JSON_LIMIT = 100_000  # characters; the validators' cost grows with the value, so a longer one is not read
_NESTING = 64
_TAGS = ("<think>", "</think>", "<answer>", "</answer>")


@dataclass(frozen=True, slots=True)
class Form:
    """What a check of form found.

    Args:
        holds: Whether the text has the form.
        start, end: The span that shows it, or where it fails.
        reason: Why it does not hold; empty if it does.
    """

    holds: bool
    start: int
    end: int
    reason: str = ""


def think(text: str) -> Form:
    """One thinking block at the very start, and an answer behind it that is not blank.

    Blanks before the block are allowed, tags inside or behind it are not.

    >>> think("<think>2 + 2</think> 4").holds, think("<think>2 + 2</think>").reason
    (True, 'there is nothing behind </think>')
    """
    block = _block(text, "think", 0)
    if not block.holds:
        return block
    if not text[block.end :].strip():
        return Form(False, block.end, len(text), "there is nothing behind </think>")
    return Form(True, block.start, block.end)


def answer_tags(text: str) -> Form:
    """One answer block, not blank, with nothing but blanks behind it.

    >>> answer_tags("so <answer>4</answer>").holds, answer_tags("<answer>4</answer> or 5").reason
    (True, 'there is text behind </answer>')
    """
    start = text.find("<answer>")
    if start < 0:
        return Form(False, len(text), len(text), "there is no <answer>")
    block = _block(text, "answer", start)
    if block.holds and text[block.end :].strip():
        return Form(False, block.end, len(text), "there is text behind </answer>")
    return block


def think_answer(text: str) -> Form:
    """A thinking block, then an answer block, and nothing else but blanks: the form of DeepSeek-R1's template.

    Source:
        DeepSeek-AI 2025, DeepSeek-R1, table 1 (arXiv:2501.12948); Open-R1's `format_reward` asks for newlines besides.

    >>> think_answer("<think>2 + 2</think>\\n<answer>4</answer>").holds
    True
    >>> think_answer("<think>2 + 2</think> is <answer>4</answer>").reason
    'there is text between </think> and <answer>'
    """
    first = _block(text, "think", 0)
    if not first.holds:
        return first
    start = text.find("<answer>", first.end)
    if start < 0:
        return Form(False, first.end, len(text), "there is no <answer> behind </think>")
    if text[first.end : start].strip():
        return Form(False, first.end, start, "there is text between </think> and <answer>")
    second = answer_tags(text)
    return Form(True, first.start, second.end) if second.holds else second


def tag_counts(text: str) -> list[tuple[int, int, str]]:
    """The tags of `<think>` and `<answer>` that are there exactly once: span and name, a quarter of the form each.

    Source:
        Open-R1's `tag_count_reward`, which also asks for newlines beside the tags.

    >>> tag_counts("<think>hm<answer>4</answer></answer>")
    [(0, 7, '<think>'), (9, 17, '<answer>')]
    """
    return sorted((text.find(tag), text.find(tag) + len(tag), tag) for tag in _TAGS if text.count(tag) == 1)


def boxes(text: str, most: int = 64) -> list[tuple[int, int, bool]]:
    r"""Every `\boxed{...}` of a text, nested ones within: span, and whether its braces close. At most `most`.

    >>> boxes("so \\boxed{\\frac{1}{2}} or \\boxed{3")
    [(3, 22, True), (26, 34, False)]
    """
    found: list[tuple[int, int, bool]] = []
    place = text.find("\\boxed{")
    while place >= 0 and len(found) < most:
        depth, at = 0, place + len("\\boxed")
        while at < len(text):
            sign = text[at]
            if sign == "\\":
                at += 1  # an escaped brace opens and closes nothing
            elif sign == "{":
                depth += 1
            elif sign == "}":
                depth -= 1
                if depth == 0:
                    break
            at += 1
        closes = depth == 0 and at < len(text)
        end = at + 1 if closes else len(text)
        found.append((place, end, closes))
        place = text.find("\\boxed{", end)
    return found


def boxed(text: str) -> Form:
    r"""Exactly one `\boxed{...}`, with closed braces and something in it.

    >>> boxed("so \\boxed{4}").holds, boxed("\\boxed{4} \\boxed{5}").reason, boxed("\\boxed{ }").reason
    (True, 'there are 2 boxes', 'the box is empty')
    """
    found = boxes(text)
    if not found:
        return Form(False, len(text), len(text), "there is no box")
    start, end, closes = found[0]
    if len(found) > 1:
        return Form(False, found[1][0], found[-1][1], f"there are {len(found)} boxes")
    if not closes:
        return Form(False, start, end, "the box does not close")
    if not text[start + len("\\boxed{") : end - 1].strip():
        return Form(False, start, end, "the box is empty")
    return Form(True, start, end)


def fence(text: str, language: str = "", count: int = 1) -> Form:
    """So many fenced code blocks, all closed and none empty, each of a language if one is given.

    >>> fence("```python\\nx = 1\\n```", "python").holds, fence("```\\nx = 1").reason
    (True, 'a fence does not close')
    """
    found: list[tuple[int, int]] = []
    opened, info, place = -1, "", 0
    for line in text.splitlines(keepends=True):
        bare = line.strip()
        if bare.startswith("```"):
            if opened < 0:
                opened, info, inside = place, bare[3:].strip(), place + len(line)
                if "`" in info:
                    return Form(False, place, place + len(bare), "a fence opens and closes in one line")
            elif bare == "```":
                if not text[inside:place].strip():
                    return Form(False, opened, place + len(line), "a code block is empty")
                if language and info.casefold() != language.casefold():
                    reason = f"a code block says {info[:20]!r}, not {language!r}"
                    return Form(False, opened, place + len(line), reason)
                found.append((opened, place + len(line)))
                opened = -1
        place += len(line)
    if opened >= 0:
        return Form(False, opened, len(text), "a fence does not close")
    if len(found) != count:
        start, end = (found[0][0], found[-1][1]) if found else (len(text), len(text))
        return Form(False, start, end, f"there are {len(found)} code blocks, not {count}")
    return Form(True, found[0][0], found[-1][1]) if found else Form(True, 0, len(text))


def json_text(text: str, schema: str | Path | Mapping[str, Any] | None = None) -> Form:
    """One JSON value and nothing else, bare or in one code fence, that a JSON Schema accepts if one is given.

    Args:
        text: What is read, at most 100,000 characters and 64 levels deep; what is longer or deeper is refused unread.
        schema: A schema, or the path of a file with one. `$ref` reaches only into the schema itself; `pattern` and
            `format` are refused: patterns backtrack, and a policy writes the text that they would run on.
    Raises:
        BadInput: If the schema cannot be read, is none, or has patterns.
        MissingExtra: If a schema is given and jsonschema is not installed.

    >>> json_text('{"answer": 4}').holds, json_text("answer: 4").reason
    (True, 'it is no JSON: Expecting value at character 0')
    """
    start, end = _json_span(text)
    if end - start > _JSON_LIMIT:
        return Form(False, start, end, f"JSON of more than {_JSON_LIMIT} characters is not read")
    try:
        value = _loads(text[start:end])
    except _NotJson as error:
        return Form(False, start, end, str(error))
    if schema is None:
        return Form(True, start, end)
    problem = _problem(value, schema)
    return Form(not problem, start, end, problem)


def tools(text: str, names: Sequence[str] = (), most: int = 16) -> list[Form]:
    """Every `<tool_call>...</tool_call>` of a text: whether it holds `{"name": ..., "arguments": {...}}`.

    The form of Qwen's and Hermes' templates. At most `most` calls are read; what comes after them is not looked at.

    Args:
        text: What is read.
        names: The tools that there are; any name if empty.
        most: Calls that are read.

    >>> [call.holds for call in tools('<tool_call>{"name": "add", "arguments": {"a": 1}}</tool_call>')]
    [True]
    """
    found: list[Form] = []
    opening, closing = "<tool_call>", "</tool_call>"
    place = text.find(opening)
    while place >= 0 and len(found) < most:
        inside = place + len(opening)
        stop = text.find(closing, inside)
        if stop < 0:
            found.append(Form(False, place, len(text), "a tool call does not close"))
            break
        end = stop + len(closing)
        reason = _call_problem(text[inside:stop], names)
        found.append(Form(not reason, place, end, reason))
        place = text.find(opening, end)
    return found


# Parts ----------------------------------------------------------------------------------------------------------------


def _block(text: str, tag: str, start: int) -> Form:
    """The one block of a tag, from `start` on, behind blanks at most."""
    opening, closing = f"<{tag}>", f"</{tag}>"
    begin = start + len(text[start:]) - len(text[start:].lstrip())
    if not text.startswith(opening, begin):
        return Form(False, begin, begin, f"it does not begin with {opening}")
    inside = begin + len(opening)
    stop = text.find(closing, inside)
    if stop < 0:
        return Form(False, begin, len(text), f"there is no {closing}")
    end = stop + len(closing)
    if text.count(opening) > 1 or text.count(closing) > 1:
        return Form(False, begin, end, f"{opening} or {closing} is there more than once")
    if not text[inside:stop].strip():
        return Form(False, begin, end, f"there is nothing in {opening}")
    return Form(True, begin, end)


class _NotJson(ValueError):
    """Text that is no JSON, and why."""


def _loads(text: str) -> Any:
    depth = deepest = 0
    in_string = escaped = False
    for sign in text:  # json.loads recurses, so depth is looked at first; what is inside strings opens nothing
        if in_string:
            in_string, escaped = escaped or sign != '"', not escaped and sign == "\\"
        elif sign == '"':
            in_string = True
        elif sign in "[{":
            depth += 1
            deepest = max(deepest, depth)
        elif sign in "]}":
            depth -= 1
    if deepest > _NESTING:
        raise _NotJson(f"JSON of more than {_NESTING} levels is not read")
    try:
        return json.loads(text, parse_int=_integer, parse_constant=_constant, object_pairs_hook=_object)
    except json.JSONDecodeError as error:
        raise _NotJson(f"it is no JSON: {error.msg} at character {error.pos}") from None


def _integer(digits: str) -> int:
    if len(digits) > 300:  # beyond a float's range; Python itself refuses 4,300 and takes quadratic time up to there
        raise _NotJson(f"it holds a number of {len(digits)} digits")
    return int(digits)


def _constant(name: str) -> Any:
    raise _NotJson(f"it is no JSON: {name}")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise _NotJson("it is ambiguous: an object has a key twice")
    return found


_FENCED = re.compile(r"```(?:json|JSON)?[ \t]*\r?\n")


def _json_span(text: str) -> tuple[int, int]:
    """Where the JSON is: the inside of the one fence around everything, or all of the text."""
    start = len(text) - len(text.lstrip())
    end = max(start, len(text.rstrip()))
    opened = _FENCED.match(text, start)
    if opened and text.endswith("```", opened.end(), end):
        start, end = opened.end(), end - 3
        end = start + len(text[start:end].rstrip())
    return start, end


@functools.lru_cache(maxsize=32)
def _validator(schema: str) -> Any:
    jsonschema = need("jsonschema", "rewards")
    content = json.loads(schema)
    try:
        jsonschema.Draft202012Validator.check_schema(content)
    except jsonschema.SchemaError as error:
        raise BadInput(f"the JSON Schema cannot be used: {error.message:.200}") from None
    if _has_pattern(content):
        raise BadInput(
            "the JSON Schema has 'pattern', 'patternProperties' or 'format'; say it with enum, const or limits"
        )

    def unique(_: Any, wanted: Any, value: Any, __: Any) -> Iterator[Any]:
        # The library compares all pairs where it cannot sort: minutes for a long list of mixed things.
        if wanted and isinstance(value, list) and len({json.dumps(v, sort_keys=True) for v in value}) < len(value):
            yield jsonschema.ValidationError("an item is there twice")

    checked = jsonschema.validators.extend(jsonschema.Draft202012Validator, validators={"uniqueItems": unique})
    registry = need("referencing", "rewards").Registry()  # empty, and never fetches: `$ref` stays inside the schema
    return checked(content, registry=registry)


def _has_pattern(schema: Any) -> bool:
    if isinstance(schema, Mapping):
        # A property of that name has a schema for its value, the keyword a text.
        named = any(isinstance(schema.get(word), str) for word in ("pattern", "format"))
        return named or "patternProperties" in schema or any(map(_has_pattern, schema.values()))
    return isinstance(schema, list) and any(map(_has_pattern, schema))


def _problem(value: Any, schema: str | Path | Mapping[str, Any]) -> str:
    if isinstance(schema, Mapping):
        written = json.dumps(schema, sort_keys=True)
    else:
        try:
            written = json.dumps(json.loads(Path(schema).read_text(encoding="utf-8")), sort_keys=True)
        except (OSError, ValueError) as error:
            raise BadInput(f"the JSON Schema {str(schema)!r} cannot be read: {error}") from None
    validator = _validator(written)
    broken = next(validator.iter_errors(value), None)
    if broken is None:
        return ""
    where = "/".join(map(str, broken.absolute_path)) or "the whole"
    return f"{where:.80} breaks {broken.validator!r} of the schema"


def _call_problem(content: str, names: Sequence[str]) -> str:
    if len(content) > _JSON_LIMIT:
        return f"JSON of more than {_JSON_LIMIT} characters is not read"
    try:
        call = _loads(content)
    except _NotJson as error:
        return str(error)
    if not (isinstance(call, dict) and isinstance(call.get("name"), str) and isinstance(call.get("arguments"), dict)):
        return "a tool call is an object with a 'name' and an object of 'arguments'"
    if names and call["name"] not in names:
        return f"there is no tool {call['name'][:40]!r}"
    return ""
