"""Turns an answer's text, in LaTeX, plain or Unicode notation, into tokens, in time proportional to its length."""

from __future__ import annotations

import re
from dataclasses import dataclass

from proofgym.verifiers.math.notation import COMMANDS, FUNCTIONS, GREEK, PLAIN_FUNCTIONS, SIGNS, UNITS
from proofgym.verifiers.math.tree import TooBig, Unreadable

__all__ = ["MAX_TOKENS", "Token", "clean", "tokens"]

MAX_TOKENS, MAX_BRACKETS = 6000, 200

_TRANSLATE = str.maketrans(
    {
        **SIGNS,
        **{chr(code): chr(code - 0xFEE0) for code in range(0xFF01, 0xFF5F)},
        **dict.fromkeys("\u3000\u00a0\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f", " "),
    }
)
_SUPER = dict(zip("⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁼⁽⁾ⁿⁱˣʸᵃᵇᵏᵐᵗ", "0123456789+-=()nixyabkmt", strict=True))
_SUB = dict(zip("₀₁₂₃₄₅₆₇₈₉₊₋₌₍₎ₙₖₓᵢⱼₘ", "0123456789+-=()nkxijm", strict=True))
_SUPER_RUN = re.compile(f"[{''.join(_SUPER)}]+")
_SUB_RUN = re.compile(f"[{''.join(_SUB)}]+")
_HTML = re.compile(r"<(sup|sub)>([^<>]{0,200})</\1>")
_BROKEN = re.compile(r"([\x07\x08\x0b\x0c])(?=[a-z])|\t(?=ext|imes|heta|an\b|frac|herefore|o\b)|\r(?=ight|ho\b|angle)")
_BROKEN_AS = {"\x07": "\\a", "\x08": "\\b", "\x0b": "\\v", "\x0c": "\\f", "\t": "\\t", "\r": "\\r"}
_SIZES = re.compile(
    r"\\(?:displaystyle|textstyle|scriptstyle|limits|nolimits|rm|it|bf|left\s*\.|right\s*\.|(?:bigg?|Bigg?)[lrm]?(?![A-Za-z]))"
)
_SPACES = re.compile(
    r"(?<!\\)\\[,;:> ]|~|\\q?quad|\\(?:enspace|thinspace|space|hfill|noindent|newline|nonumber)(?![A-Za-z])"
)
_DROPPED = re.compile(r"\\(?:hspace|vspace|phantom|label|tag|color|hphantom|vphantom|kern)\*?\s*\{[^{}]{0,100}\}")
_SPACED_THOUSANDS = re.compile(r"(?<![\d.,])\d{1,3}(?: \d{3})+(?![\d]|\.\d{4})")

_TOKEN = re.compile(
    r"""
    (?P<space> \s+ )
  | (?P<num> \d{1,3}(?:,\d{3})+(?![\d,]\d)(?:\.\d+)?(?![\d]) | \d*\.\d+(?:[eE][+-]?\d+)?
           | \d+(?:\.(?!\d|\.))?(?:[eE][+-]?\d+)? )
  | (?P<cmd> \\[A-Za-z]+ )
  | (?P<brk> \\\\(?:\s*\[-?[\d.]+\s*(?:pt|em|ex|cm|mm)\])? )
  | (?P<esc> \\[{}$%\#&_|!] )
  | (?P<word> [A-Za-z]+ )
  | (?P<op> \*\* | <=|>=|!=|==|=>|:=|\.\.\.+ | [-+*/^_=<>(){}\[\]|,;:!'%&.~"@`?\#] )
    """,
    re.VERBOSE | re.ASCII,
)
_TEXT = {"text", "mbox", "textrm", "textnormal", "textit", "textsf", "texttt", "hbox", "textsc", "emph", "intertext"}
_FONT = {
    "mathrm", "textbf", "mathbf", "mathit", "operatorname", "mathsf", "boldsymbol", "mathcal", "mathbb", "bm", "mathtt",
    "mathfrak", "mathscr", "Bbb", "pmb",
}  # fmt: skip
_OPEN, _CLOSE = {"(", "[", "\\{"}, {")", "]", "\\}"}
_AS_COMMANDS = {"frac", "choose", "cbrt", "binomial", "factorial", "binom", "mod", "gamma", "deg", "root"}
_LONE_DOLLAR = re.compile(r"^(\s*-?\s*)\$(?=\s*[\d.])")
_CIRCLED = re.compile("[①-⑳]+")
_UNIT_AFTER = {"min", "sec", "in", "th", "st", "nd", "rd", "or", "deg"}


@dataclass(frozen=True, slots=True)
class Token:
    """One token.

    Args:
        kind: num, id, fn, cmd, op, text or end.
        value: Its text without a backslash.
        start, end: Its characters in the cleaned text.
        spaced: Whether blanks come before it.
    """

    kind: str
    value: str
    start: int
    end: int
    spaced: bool = False


def clean(text: str) -> str:
    """The text with one spelling for each sign, and without what only moves ink.

    >>> clean("x² ≤ ½"), clean("$1{,}000$")
    ('x^{2} \\\\le  \\\\frac{1}{2}', ' 1000 ')
    """
    text = _BROKEN.sub(lambda found: _BROKEN_AS[found[0]], text)
    text = _HTML.sub(lambda found: ("^{" if found[1] == "sup" else "_{") + found[2] + "}", text)
    text = _SUPER_RUN.sub(lambda found: "^{" + "".join(_SUPER[c] for c in found[0]) + "}", text)
    text = _SUB_RUN.sub(lambda found: "_{" + "".join(_SUB[c] for c in found[0]) + "}", text)
    text = _CIRCLED.sub(lambda found: ", ".join(str(ord(char) - 0x245F) for char in found[0]), text)
    text = text.translate(_TRANSLATE)
    if "\\\\" in text and "\\begin" not in text:
        text = re.sub(r"\\\\(?=[A-Za-z]|[{}]|[(\[])", lambda _: "\\", text)  # escaped once too often
    text = re.sub(r"\\!\s*", "", text).replace("{,}", "").replace("\\$", "\\currency{dollar} ")
    text = (_LONE_DOLLAR.sub(r"\1\\currency{dollar} ", text) if text.count("$") == 1 else text).replace("$", " ")
    text = re.sub(r"(?<=\d)\\,(?=\d{3}(?!\d))", "", text)
    text = _DROPPED.sub(" ", _SPACES.sub(" ", text))
    text = re.sub(r"(?<!\\)\\[()]|(?<!\\)\\\[|(?<!\\)\\\]", " ", text)
    text = _SIZES.sub("", text)
    text = _SPACED_THOUSANDS.sub(lambda found: found[0].replace(" ", ""), text)
    text = re.sub(r"(?<=[}a-z])\.(?=\s*[)\]])", "", text)
    return text.replace("**", "^")


def tokens(text: str) -> list[Token]:
    """The tokens of a cleaned text, ending in one of kind `end`.

    Raises:
        Unreadable: At a character that has no place in mathematics.
        TooBig: If there are too many.
    """
    found: list[Token] = []
    at, spaced, depth = 0, False, 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            raise Unreadable(f"{text[at]!r} has no place in mathematics")
        kind, value, end = str(match.lastgroup), match[0], match.end()
        if len(found) > MAX_TOKENS:
            raise TooBig(f"it has more than {MAX_TOKENS} tokens")
        if kind == "space":
            spaced, at = True, end
            continue
        if kind == "num" and "," in value and depth:
            end = at + value.index(",")
            value = text[at:end]
        if kind == "cmd":
            end = _command(text, at, end, value[1:], found, spaced)
        elif kind == "word":
            _word(text, at, value, found, spaced)
        elif kind == "num":
            found.append(Token("num", value.replace(",", ""), at, end, spaced))
        else:
            value = {"brk": "\\\\"}.get(kind, value.strip())
            value = {"\\|": "|", "\\%": "%", "\\_": "_", "\\&": "&", "\\#": "#", "\\!": "!"}.get(value, value)
            found.append(Token("op", value, at, end, spaced))
        if found and found[-1].kind == "op" and found[-1].end == end:
            depth += (found[-1].value in _OPEN) - (found[-1].value in _CLOSE)
            if depth > MAX_BRACKETS:
                raise TooBig(f"brackets nest more than {MAX_BRACKETS} deep")
        at, spaced = end, False
    found.append(Token("end", "", at, at, spaced))
    return found


def _command(text: str, at: int, end: int, name: str, found: list[Token], spaced: bool) -> int:
    """Add the tokens of one command; returns where it ends."""
    if name in ("left", "right", "mleft", "mright", "middle"):
        rest = re.compile(r"\s*(\\[A-Za-z]+|\\[{}|]|.|\Z)", re.DOTALL).match(text, end)
        delimiter = rest[1] if rest else ""
        side = "l" if name.endswith("left") else "r"
        if delimiter in ("|", "\\|", "\\vert", "\\lvert", "\\rvert"):
            found.append(Token("op", f"{side}|" if name != "middle" else "|", at, rest.end() if rest else end, spaced))
            return rest.end() if rest else end
        if delimiter.startswith("\\vert") and rest is not None and name != "middle":
            # \vertx: the delimiter runs into a letter
            found.append(Token("op", f"{side}|", at, rest.start(1) + 5, spaced))
            return rest.start(1) + 5
        if delimiter in ("{", "}") and rest is not None:
            found.append(Token("op", delimiter, at, rest.end(), spaced))
            return rest.end()
        return end
    if name in _TEXT or name in _FONT:
        close, inner = _braced(text, end)
        if inner is None:
            return end
        word = inner.strip()
        if name in _FONT or word in PLAIN_FUNCTIONS or len(word) == 1:
            if word in PLAIN_FUNCTIONS or word in COMMANDS or word in FUNCTIONS or word in ("e", "i", "pi"):
                _add(word, at, close, found, spaced)
                return close
            if len(word) == 1 and ((word.isalpha() and name != "mathrm") or not found or found[-1].kind != "num"):
                kind = "cmd" if name in ("mathbb", "Bbb") and word in "RZQNC" else "id"
                if word.isalpha():
                    found.append(Token(kind, word, at, close, spaced))
                else:
                    found.extend(Token(t.kind, t.value, at, close, t.spaced) for t in tokens(word)[:-1])
                return close
            if re.fullmatch(r"[-+\d.,/\s]+|[A-Za-z]\^.*|\\.*|[^A-Za-z]*", word):
                shifted = tokens(word)[:-1]
                found.extend(Token(t.kind, t.value, at, close, t.spaced) for t in shifted)
                return close
        found.append(Token("text", word, at, close, spaced))
        return close
    if name in ("begin", "end"):
        close, inner = _braced(text, end)
        if inner is None and text.startswith("boxed", end):
            return end + 5
        if inner is None:
            raise Unreadable(f"\\{name} stands without a name")
        found.append(Token("cmd", f"{name}:{inner.strip().rstrip('*')}", at, close, spaced))
        return close
    if name == "currency":
        close, inner = _braced(text, end)
        found.append(Token("currency", inner or "", at, close, spaced))
        return close
    if name in ("textcolor", "overset", "underset", "stackrel"):
        close, _ = _braced(text, end)
        return close
    if name.startswith("vert") and len(name) > 4 and name[4:] not in ("s",):
        found.append(Token("op", "|", at, at + 5, spaced))
        return at + 5
    _add(name, at, end, found, spaced)
    return end


def _add(name: str, at: int, end: int, found: list[Token], spaced: bool) -> None:
    name = COMMANDS.get(name, name)
    if (len(name) == 1 and not name.isalpha()) or name in ("l|", "r|", "\\{", "\\}"):
        found.append(Token("op", name, at, end, spaced))
    elif name in ("e", "i"):
        found.append(Token("id", name, at, end, spaced))
    elif name in GREEK:
        found.append(Token("id", "\\" + name, at, end, spaced))
    elif (name in FUNCTIONS or name in PLAIN_FUNCTIONS) and name not in _AS_COMMANDS:
        found.append(Token("fn", name if name in FUNCTIONS else PLAIN_FUNCTIONS[name], at, end, spaced))
    else:
        found.append(Token("cmd", name, at, end, spaced))


def _word(text: str, at: int, word: str, found: list[Token], spaced: bool) -> None:
    """Add the tokens of a run of plain letters: a name, a product of letters, or a word."""
    end = at + len(word)
    last = found[-1] if found else None
    after_value = last is not None and (last.kind == "num" or last.value in (")", "}"))
    rest = text[end : end + 40].lstrip()
    calls = rest.startswith(("(", "^", "_", "{", "\\", "["))
    if word in ("and", "or", "AND", "OR"):
        found.append(Token("cmd", word.lower(), at, end, spaced))
    elif word == "mod":
        found.append(Token("cmd", "mod", at, end, spaced))
    elif word == "U" and last is not None and last.value in (")", "]", "\\}") and rest[:1] in ("(", "[", "\\", "{"):
        found.append(Token("cmd", "cup", at, end, spaced))
    elif word.lower() in ("union", "intersection", "intersect"):
        found.append(Token("cmd", "cup" if word.lower() == "union" else "cap", at, end, spaced))
    elif word in ("inf", "infinity", "Infinity", "oo", "infty"):
        found.append(Token("cmd", "infty", at, end, spaced))
    elif after_value and not calls and (word in _UNIT_AFTER or (len(word) > 1 and word in UNITS)):
        found.append(Token("text", word, at, end, spaced))
    elif last is not None and last.kind == "num" and spaced and word in UNITS and not rest and len(found) < 3:
        found.append(Token("text", word, at, end, spaced))  # 5 m, and nothing more
    elif word == "pi":
        found.append(Token("cmd", "pi", at, end, spaced))
    elif word in GREEK and len(word) > 2:
        found.append(Token("id", "\\" + word, at, end, spaced))
    elif word in PLAIN_FUNCTIONS and (calls or (len(word) > 1 and bool(rest) and rest[0] not in ",;:)=.<>")):
        name = PLAIN_FUNCTIONS[word]
        found.append(Token("cmd" if name in ("frac", "cbrt") else "fn", name, at, end, spaced))
    elif (
        len(word) <= 2
        or (word.isupper() and len(word) <= 5)
        or (word.islower() and list(word) == sorted(set(word)) and len(word) <= 4)
    ):
        if len(word) == 2 and word.lower() in ("is", "no", "if", "to", "of", "at", "by", "as", "so", "we", "do", "an"):
            found.append(Token("text", word, at, end, spaced))
            return
        found.extend(Token("id", c, at + k, at + k + 1, spaced and k == 0) for k, c in enumerate(word))
    else:
        head = next((f for f in ("sqrt", "sin", "cos", "tan", "log", "ln", "pi") if word.startswith(f)), "")
        if (
            head
            and len(word) == len(head) + 1
            and head != "pi"
            and word not in ("sins", "logs", "tans", "tang", "cost", "cosy")
        ):
            found.append(Token("fn", PLAIN_FUNCTIONS[head], at, at + len(head), spaced))
            found.append(Token("id", word[-1], at + len(head), end, False))
        else:
            found.append(Token("text", word, at, end, spaced))


def _braced(text: str, at: int) -> tuple[int, str | None]:
    """Where a braced argument ends, and what it holds; `None` if there is none."""
    while at < len(text) and text[at] == " ":
        at += 1
    if at >= len(text) or text[at] != "{":
        return at, None
    depth = 0
    for end in range(at, min(len(text), at + 2000)):
        depth += (text[end] == "{") - (text[end] == "}")
        if depth == 0:
            return end + 1, text[at + 1 : end]
    raise Unreadable("a '}' is missing")
