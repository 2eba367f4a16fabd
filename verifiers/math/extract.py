"""Finds the one final answer in a model's text; a text that hedges has none.

By the first rule that applies:

1. `<answer>...</answer>`, the last one;
2. after `####`, to the end of that line, the last one;
3. `\\boxed{...}`: the last one, or the last few joined by commas or "and", which are a list;
4. after "final answer is", "answer is", "answer:", to the end of that sentence, the last one;
5. the whole text, if it is one line of mathematics;
6. the formula of the last sentence, if it has one and asks no question.

What comes before `</think>` is not read. An "or", "maybe" or "alternatively" between two places, or after the last, is
hedging. Two rules with different answers after each other are hedging too.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from proofgym.verifiers.math.reading import squeeze, unwrap

__all__ = ["Place", "extract"]

_TAG = re.compile(r"<answer>(.{0,20000}?)</answer>", re.DOTALL | re.IGNORECASE)
_HASHES = re.compile(r"####[ \t]*([^\n]*)")
_BOX = re.compile(r"\\(?:begin)?(?:boxed|fbox)\s*\{")
_BOX_BARE = re.compile(r"\\boxed\s+([0-9A-Za-z.+-]+)")
_MARK = re.compile(
    r"(?:final\s+answer|correct\s+answer|answer)\**\s*(?:(?:is|are|equals|=|:|will be|would be)\s*:?\s*)+\**",
    re.IGNORECASE,
)
_FINAL = re.compile(r"final\s+answer\**\s*(?:is|are|:|=)", re.IGNORECASE)
_HEDGE = re.compile(
    r"\b(?:or|maybe|perhaps|possibly|alternatively|either|otherwise|could be|might be)\b", re.IGNORECASE
)
_AFTER = re.compile(r"[^\n]{0,6}?[\s,;$.(]*\b(?:or|alternatively|maybe|perhaps)\b", re.IGNORECASE)
_SENTENCE = re.compile(r"(?<![A-Z])[.!](?=\s+[A-Z*\\$(]|\s*\n|\s*\Z)|\n\s*\n|\n")
_FORMULA = re.compile(r"\$\$(.+?)\$\$|\$((?:[^$\\]|\\.)+)\$|\\\[(.+?)\\\]|\\\((.+?)\\\)", re.DOTALL)
_SAID = re.compile(r".*(?:\bis\b|\bare\b|\bequals\b|=|:)\s*(.*?)\s*\Z", re.DOTALL)
_OR = re.compile(r"\b(?:or|maybe|perhaps|possibly|alternatively|either|not)\b|n't\b", re.IGNORECASE)
_CONCLUDES = re.compile(r"\b(?:therefore|thus|hence|so|answer|solution|result)\b", re.IGNORECASE)
_QUESTION = re.compile(r"\b(?:asked|find|if|given|suppose|let|where|solve|compute|what|which|how)\b", re.IGNORECASE)
_JOINS = re.compile(
    r"\\q?quad|\\text|\\[()\[\],;: ]|[\s$,;{}&.]|(?:[A-Za-z]|\\[a-z]+)(?:_\{?\w{1,5}\}?)?\s*(?:\([a-z]\))?\s*=\s*\Z"
)
_NUMERAL = re.compile(r"(?<![\w.])[-−]?(?:[$€£]\s?)?\d[\d,]*(?:\.\d+)?(?:/\d+)?%?(?![\w])")
_LAST_DISPLAY = re.compile(r"(?:\$\$((?:(?!\$\$).)+)\$\$|\\\[((?:(?!\\\[).)+)\\\])[\s.]*\Z", re.DOTALL)
_CHAT = re.compile(r"<\|[a-z_]{1,30}\|>|</s>|<end_of_turn>")
_MAX_BOXES = 200


@dataclass(frozen=True, slots=True)
class Place:
    """Where an answer stands.

    Args:
        start, end: Its characters in the response.
        text: The answer's text; empty if there is none.
        reason: Why there is none.
    """

    start: int
    end: int
    text: str
    reason: str = ""


def extract(response: str) -> Place:
    """The final answer of a response.

    >>> extract("First guess \\\\boxed{1}. Checking again, it is \\\\boxed{2}.").text
    '2'
    >>> extract("It is \\\\boxed{1} or \\\\boxed{2}.").reason
    'it hedges between several answers'
    """
    stop = _CHAT.search(response)
    if stop is not None and response[: stop.start()].strip():
        response = response[: stop.start()]
    begin = response.rfind("</think>")
    begin = begin + 8 if begin >= 0 else 0
    places = [place for place in (_tagged(response, begin), _hashed(response, begin), _boxed(response, begin)) if place]
    if places:
        first = places[0]
        last = max(place.end for place in places)
        if _FINAL.search(response, last) and _HEDGE.search(response, last) is None:
            return _marked(response, last) or first  # a later "final answer is" replaces what was boxed on the way
        texts = {squeeze(unwrap(place.text)) for place in places if place.end >= first.start}
        if len(texts) > 1:
            return _none(first, "it gives different answers in different places")
        return first
    return _marked(response, begin) or _bare(response, begin)


def _none(place: Place, reason: str) -> Place:
    return Place(place.start, place.end, "", reason)


def _tagged(response: str, begin: int) -> Place | None:
    found = None
    if "</answer>" in response:
        at = response.lower().rfind("<answer>")
        found = _TAG.match(response, at) if at >= begin else None
    if found is None:
        return None
    inner = _boxed(found[1], 0)
    text = inner.text if inner else found[1].strip()
    return Place(found.start(), found.end(), text, inner.reason if inner else "")


def _hashed(response: str, begin: int) -> Place | None:
    at = response.rfind("####")
    found = _HASHES.match(response, at) if at >= begin else None
    if found is None or not found[1].strip():
        return None
    earlier = {squeeze(match[1]) for match in _HASHES.finditer(response, begin, at) if match[1].strip()}
    place = Place(found.start(), found.end(), found[1].strip())
    if earlier - {squeeze(found[1])}:
        return _none(place, "it gives several different answers after '####'")
    rest = response[found.end() :].strip()
    if rest and not _BOX.search(rest) and _HEDGE.match(rest):
        return _none(place, "it hedges between several answers")
    inner = _boxed(place.text, 0)
    return Place(place.start, place.end, inner.text, inner.reason) if inner else place


def _boxed(response: str, begin: int) -> Place | None:
    boxes: list[Place] = []
    starts = list(_BOX.finditer(response, begin))[-_MAX_BOXES:]
    for found in starts:
        if boxes and found.start() < boxes[-1].end:
            continue
        end = _closing(response, found.end())
        if end is not None:
            boxes.append(Place(found.start(), end, response[found.end() : end - 1]))
    if not boxes:
        bare = list(_BOX_BARE.finditer(response, begin))[-1:]
        if bare:
            return Place(bare[0].start(), bare[0].end(), bare[0][1].rstrip("."))
        return (
            Place(starts[-1].start(), len(response), "", "the braces of its \\boxed do not close") if starts else None
        )
    last = boxes[-1]
    group = [last]
    for box in reversed(boxes[:-1]):
        between = response[box.end : group[0].start]
        if squeeze(box.text) == squeeze(last.text) and not _HEDGE.search(between):
            continue
        if len(between) < 200 and _HEDGE.search(between):
            return _none(last, "it hedges between several answers")
        if _JOINS.sub("", between) not in ("", "and"):
            break
        if "\n\n" in between:
            break
        group.insert(0, box)
    if _AFTER.match(response, last.end) and re.match(r"[^\n.]{0,60}[\d\\$]", response[last.end :]):
        return _none(last, "it hedges between several answers")
    return Place(group[0].start, last.end, ", ".join(box.text for box in group))


def _closing(text: str, start: int) -> int | None:
    depth = 1
    for at in range(start, min(len(text), start + 20_000)):
        char = text[at]
        if char in "{}" and (at == 0 or text[at - 1] != "\\" or text[at - 2 : at] == "\\\\"):
            depth += 1 if char == "{" else -1
            if depth == 0:
                return at + 1
    return None


def _marked(response: str, begin: int) -> Place | None:
    found = list(_MARK.finditer(response, begin))[-1:]
    if not found:
        return None
    start = found[0].end()
    stop = _SENTENCE.search(response, start)
    while stop is not None and not response[start : stop.start()].strip(" *:"):
        start = stop.end()  # the answer stands on the next line
        stop = _SENTENCE.search(response, start)
    end = stop.start() if stop is not None else len(response)
    text = response[start:end].strip().strip("*").strip()
    place = Place(found[0].start(), end, text)
    if not text or len(text) > 20_000:
        return _none(place, "nothing stands after 'answer is'")
    if _HEDGE.match(response[end:].lstrip(" .\n")):
        return _none(place, "it hedges between several answers")
    formulas = list(_FORMULA.finditer(text))
    if len(formulas) == 1 and not _outside(text, formulas[0]):
        return Place(place.start, end, _inner(formulas[0]))
    if len(_words(text)) > 1:
        return _stated(place, text, formulas)
    return place


def _words(text: str) -> list[str]:
    """The words of prose outside formulas."""
    return re.findall(r"(?<![\\A-Za-z])[A-Za-z]{3,}", _FORMULA.sub(" ", text))


def _stated(place: Place, text: str, formulas: list[re.Match[str]]) -> Place:
    """The answer inside a sentence that states it: after its last "is", its one formula, or its one number."""
    if _OR.search(_FORMULA.sub(" ", text)):
        return place
    said = _SAID.match(text.rstrip(" ."))
    if said and said[1] and not _words(said[1]):
        return Place(place.start, place.end, said[1])
    if len(formulas) == 1 and re.search(r"\d|\\", _inner(formulas[0])):
        return Place(place.start, place.end, _inner(formulas[0]))
    numerals = _NUMERAL.findall(text)
    if len(numerals) == 1 and not formulas:
        return Place(place.start, place.end, numerals[0])
    return place


def _outside(text: str, formula: re.Match[str]) -> str:
    return (text[: formula.start()] + text[formula.end() :]).strip(" .*,:")


def _inner(found: re.Match[str]) -> str:
    return next(group for group in found.groups() if group is not None).strip()


def _bare(response: str, begin: int) -> Place:
    text = response[begin:].strip()
    start = response.find(text, begin) if text else begin
    whole = Place(start, start + len(text), text)
    if not text:
        return _none(whole, "it is empty")
    display = _LAST_DISPLAY.search(text[-3000:])
    if display is not None and "\n" in text:
        at = start + max(0, len(text) - 3000)
        return Place(at + display.start(), at + display.end(), (display[1] or display[2]).strip())
    if "\n" not in text and len(text) <= 2000 and not _SENTENCE.search(text.rstrip(".! ")) and not text.endswith("?"):
        prose = re.findall(r"(?<![\\A-Za-z])[A-Za-z]{3,}", _FORMULA.sub(" ", text))
        if not prose:
            return whole
    else:
        prose = []
    last = [part for part in re.split(r"\n", text) if part.strip()][-1]
    ends = [found.end() for found in _SENTENCE.finditer(last.rstrip(" .!"))]
    sentence = last[ends[-1] :] if ends else last
    at = start + len(text) - len(text[text.rfind(last) :]) + (ends[-1] if ends else 0)
    place = Place(at, at + len(sentence), sentence.strip())
    if sentence.rstrip().endswith("?"):
        return _none(place, "it ends in a question")
    formulas = list(_FORMULA.finditer(sentence))
    if _HEDGE.search(_FORMULA.sub(" ", sentence)):
        return _none(place, "it hedges between several answers")
    if formulas:
        inner = formulas[-1]
        led = len(re.findall(r"[A-Za-z]{2,}", sentence[: inner.start()])) > 1 or bool(_CONCLUDES.search(sentence))
        if (len(formulas) == 1 and led) or re.search(r"(?:is|are|=|:|equals)\s*\Z", sentence[: inner.start()].rstrip()):
            return Place(at + inner.start(), at + inner.end(), _inner(inner))
        if len(formulas) > 1:
            return _none(place, "its last sentence holds several formulas and says of none that it is the answer")
    said = _SAID.match(sentence.rstrip(" ."))
    if said and said[1] and not formulas and not _QUESTION.search(sentence):
        before = sentence[: said.start(1)].rstrip(" =:")
        if not ("=" in before and re.search(r"[A-Za-z]{3,}", before.partition("=")[2])):
            return Place(at, at + len(sentence), said[1])
    if 0 < len(prose) < 3:
        return whole
    if re.match(r"\s*[-−$€£(\\]?\s*\d", sentence) and len(re.findall(r"[A-Za-z]{2,}", sentence)) < 4 and not formulas:
        return place
    return _none(place, "it gives no final answer, as in '\\boxed{42}'")
