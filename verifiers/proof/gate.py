"""The first layer: which words a proof may hold. A text that passes is still judged by everything that follows.

Proof text is tactics and terms. Words that begin commands, reach into the elaborator, run compiled code, open files or
leave a hole have no business there, at any indentation, and neither have signs that read differently from how they
look. Each text is read once from left to right, so the cost is linear in its length, which is bounded.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

__all__ = ["MOST_CHARACTERS", "blank_lean", "coq", "lean", "sentences"]

MOST_CHARACTERS = 20_000
MOST_DEPTH = 100

_LEAN_COMMANDS = """
    abbrev add_decl_doc alias attribute axiom binder_predicate builtin_initialize builtin_simproc class
    compile_inductive constant coinductive declare_config_elab declare_simp_like_tactic declare_syntax_cat def
    deriving dsimproc elab elab_rules end example export extends extern grind_pattern import include inductive infix
    infixl infixr init_quot initialize instance irreducible_def lemma library_note local macro macro_rules meta module
    mutual namespace noncomputable notation notation3 omit opaque open partial postfix prefix prelude private
    proof_wanted protected public recommended_spelling register_builtin_option register_error_explanation
    register_label_attr register_option register_parser_alias register_simp_attr register_tactic_tag run_cmd run_elab
    run_meta scoped seal section set_option show_panel_widgets simproc structure suppress_compilation syntax
    tactic_extension theorem to_additive unif_hint universe universes unsafe unseal variable variables whatsnew where
    termination_by decreasing_by
"""
_LEAN_HOLES = "admit sorry sorryAx stop proof_skip"
_LEAN_ESCAPES = """
    by_elab csimp dbg_trace debug elab_term eval_tac evalTac extern implemented_by include_str include_bytes initFn IO
    lcProof lcUnreachable lcCast lcAny lcErased lcVoid native native_decide ofReduceBool panic panicWithPos reduceBool
    reduceNat run_tac skipKernelTC trustCompiler unsafeBaseIO unsafeCast unsafeEIO unsafeIO bv_decide dbgTrace
    dbgTraceIfShared ptrAddrUnsafe term_elab tactic_elab unsafeTerm
"""
_LEAN_WORDS = dict.fromkeys(_LEAN_COMMANDS.split(), "a command")
_LEAN_WORDS |= dict.fromkeys(_LEAN_HOLES.split(), "a hole")
_LEAN_WORDS |= dict.fromkeys(_LEAN_ESCAPES.split(), "a way out of the logic")
_LEAN_TOKEN = re.compile(r"[^\W\d][\w'!?]*(?:\.[^\W\d][\w'!?]*)*|\d+|[\s\S]")

_COQ_WORDS = dict.fromkeys(("admit", "give_up", "Admitted"), "a hole")
_COQ_ESCAPES = """
    native_compute native_cast_no_check vm_cast_no_check exact_no_check convert_concl_no_check change_no_check external
    ltac2 Redirect Extraction Load Cd Axiom Parameter Declare Unset Set
"""
_COQ_WORDS |= dict.fromkeys(_COQ_ESCAPES.split(), "a way around the kernel")
_COQ_WORD = re.compile(r"[^\W\d][\w']*")
_COQ_PREFIX = re.compile(r"(?:[-+*]+|[{}]|(?:all|!|\d+(?:\s*[-,]\s*\d+)*|\[\s*[a-z_][\w']*\s*\])\s*:(?!=))\s*")


def lean(text: str) -> str:
    """Why a Lean proof text is refused, or the empty string.

    >>> lean("intro h\\nexact h.1")
    ''
    >>> lean("trivial\\n  axiom cheat : False")
    "the word 'axiom' is a command"
    """
    refused = _signs(text)
    if refused:
        return refused
    bare, refused = blank_lean(text)
    if refused:
        return refused
    for token in _LEAN_TOKEN.findall(bare):
        parts = token.split(".")
        for part in parts:
            word = part.rstrip("!?")
            if word in _LEAN_WORDS:
                return f"the word {part!r} is {_LEAN_WORDS[word]}"
        if parts[0] in ("Lean", "Elab", "Meta", "System", "FS") or parts[:2] == ["_root_", "Lean"]:
            return f"the name {token!r} belongs to the elaborator"
    for sign, what in (("#", "a command"), ("@[", "an attribute"), ("«", "a quoted name"), ("`", "a quotation")):
        if sign in bare:
            return f"the sign {sign!r} begins {what}"
    return ""


def blank_lean(text: str) -> tuple[str, str]:
    """The text with its comments blanked out, and why it is refused, if it is.

    >>> blank_lean("a -- b")
    ('a     ', '')
    >>> blank_lean("a /- b")[1]
    'a comment is not closed'
    """
    out, at, depth = [], 0, 0
    while at < len(text):
        two = text[at : at + 2]
        if two == "/-":
            depth += 1
        elif two == "-/" and depth:
            depth -= 1
        elif two == "-/":
            return "", "a comment is closed that was not opened"
        elif two == "--" and not depth:
            end = text.find("\n", at)
            end = len(text) if end < 0 else end
            out.append(" " * (end - at))
            at = end
            continue
        elif not depth and text[at] == '"':
            return "", "strings have no place in a proof"
        else:
            out.append(text[at] if not depth or text[at] == "\n" else " ")
            at += 1
            continue
        out.append("  ")
        at += 2
    return "".join(out), "a comment is not closed" if depth else ""


def coq(text: str) -> str:
    """Why a Coq proof text is refused, or the empty string.

    >>> coq("intros h. - apply h.")
    ''
    >>> coq("trivial. Axiom cheat : False.")
    "the word 'Axiom' is a way around the kernel"
    """
    refused = _signs(text)
    if refused:
        return refused
    try:
        spans = list(sentences(text))
    except ValueError as error:
        return str(error)
    bare = _blank_coq(text)
    for word in _COQ_WORD.findall(bare):
        if word in _COQ_WORDS:
            return f"the word {word!r} is {_COQ_WORDS[word]}"
    for begin, end in spans:
        inner = bare[begin:end].strip()
        while True:
            found = _COQ_PREFIX.match(inner)
            if found is None:
                break
            inner = inner[found.end() :]
        if inner and not (inner[0].islower() and inner[0].isascii()) and inner[0] not in "([":
            return f"a sentence begins with {inner[:12]!r}: only tactics may stand here"
        if inner.startswith("[") and not inner.startswith("[>"):
            return f"a sentence begins with {inner[:12]!r}: only tactics may stand here"
    return ""


def sentences(text: str, *, strings: bool = False) -> Iterator[tuple[int, int]]:
    """Where the sentences of a Coq text lie, each up to its full stop; bullets and braces are sentences of their own.

    Args:
        strings: Whether the text may hold strings; trusted text may.
    Raises:
        ValueError: If a comment is not closed, a string is found where none may be,
        or the last sentence has no full stop.

    >>> [("- a. {b.}"[i:j]) for i, j in sentences("- a. {b.}")]
    ['-', 'a.', '{', 'b.', '}']
    """
    bare = _blank_coq(text, strings)
    at, size = 0, len(bare)
    while True:
        while at < size and bare[at].isspace():
            at += 1
        if at >= size:
            return
        if bare[at] in "{}":
            yield at, at + 1
            at += 1
            continue
        if bare[at] in "-+*":
            end = at
            while end < size and bare[end] == bare[at]:
                end += 1
            yield at, end
            at = end
            continue
        end = at
        while True:
            end = bare.find(".", end)
            if end < 0:
                raise ValueError("the last sentence has no full stop")
            if end + 1 >= size or bare[end + 1].isspace() or bare[end + 1] in "}-+*{":
                break
            end += 1
        yield at, end + 1
        at = end + 1


def _blank_coq(text: str, strings: bool = False) -> str:
    """Comments blanked out, and strings too where trusted text may hold them."""
    out, at, depth = [], 0, 0
    while at < len(text):
        two = text[at : at + 2]
        if two == "(*":
            depth += 1
        elif two == "*)" and depth:
            depth -= 1
        elif not depth and text[at] == '"':
            if not strings:
                raise ValueError("strings have no place in a proof")
            end = text.find('"', at + 1)
            if end < 0:
                raise ValueError("a string is not closed")
            out.append("x" * (end + 1 - at))
            at = end + 1
            continue
        else:
            out.append(text[at] if not depth else " ")
            at += 1
            continue
        out.append("  ")
        at += 2
    if depth:
        raise ValueError("a comment is not closed")
    return "".join(out)


def _signs(text: str) -> str:
    if len(text) > MOST_CHARACTERS:
        return f"a proof has at most {MOST_CHARACTERS} characters, found {len(text)}"
    depth = 0
    for sign in text:
        if sign == "\n":
            continue
        depth += (sign in "([{⟨") - (sign in ")]}⟩")
        if depth > MOST_DEPTH:  # a parser that descends would spend seconds, or its stack
            return f"brackets are nested at most {MOST_DEPTH} deep"
        if sign == "\t" or unicodedata.category(sign) in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"):
            return f"the sign U+{ord(sign):04X} has no place in a proof"
    return ""
