"""The tiny language written in Python, C, C++, Java, JavaScript, Rust and Go, so that each says exactly the same.

What the languages differ in is in one table: how division rounds, how lists are made and changed, how input is read.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from proofgym.envs.code.tiny import Body, Expr

__all__ = ["LANGUAGES", "Language", "write"]


@dataclass(frozen=True, slots=True)
class Language:
    """How one language says what the tiny one says. `{0}` and so on are the parts, already written.

    Args:
        head: What stands before the program's body; it reads the input into `a` and `k`.
        tail: What stands after it.
        expr: Forms of expressions that are not written `(left operator right)`.
        forms: Forms of simple statements, and the openings of loops and tests.
        close: What ends a block; empty where indentation does.
        indent: How deep the body begins.
    """

    head: str
    tail: str
    expr: Mapping[str, str]
    forms: Mapping[str, str]
    close: str = "}"
    other: str = "} else {"
    indent: int = 1


_C_EXPR = {
    "//": "quo({0}, {1})", "%": "rem({0}, {1})", "and": "({0} && {1})", "or": "({0} || {1})", "not": "!({0})",
}  # fmt: skip

LANGUAGES: Mapping[str, Language] = {
    "python": Language(
        "import sys\n\nk, *a = map(int, sys.stdin.read().split())\n", "",
        {"item": "{0}[{1}]", "len": "len({0})", "max": "max({0}, {1})", "min": "min({0}, {1})", "abs": "abs({0})", "not": "(not {0})"},
        {
            "let": "{0} = {1}", "set": "{0} = {1}", "list": "{0} = []", "push": "{0}.append({1})", "put": "{0}[{1}] = {2}",
            "for": "for {0} in range({1}, {2}):", "while": "while {0}:", "if": "if {0}:", "print": "print({0})",
            "show": 'print(" ".join(map(str, {0})))',
        },
        close="", other="else:", indent=0,
    ),
    "cpp": Language(
        """#include <algorithm>
#include <cstdio>
#include <vector>
using namespace std;
typedef long long num;
static num quo(num a, num b) { num q = a / b; return a % b != 0 && (a < 0) != (b < 0) ? q - 1 : q; }
static num rem(num a, num b) { return a - b * quo(a, b); }
int main() {
    num k, x_;
    vector<num> a;
    if (scanf("%lld", &k) != 1) return 1;
    while (scanf("%lld", &x_) == 1) a.push_back(x_);
""",
        "    return 0;\n}\n",
        {
            **_C_EXPR, "item": "{0}[{1}]", "len": "(num){0}.size()", "max": "max<num>({0}, {1})", "min": "min<num>({0}, {1})",
            "abs": "({0} < 0 ? -({0}) : ({0}))",
        },
        {
            "let": "num {0} = {1};", "set": "{0} = {1};", "list": "vector<num> {0};", "push": "{0}.push_back({1});",
            "put": "{0}[{1}] = {2};", "for": "for (num {0} = {1}; {0} < {2}; {0}++) {{", "while": "while ({0}) {{", "if": "if ({0}) {{",
            "print": 'printf("%lld\\n", (num)({0}));',
            "show": 'for (size_t q_ = 0; q_ < {0}.size(); q_++) printf(q_ ? " %lld" : "%lld", {0}[q_]); puts("");',
        },
    ),
    "c": Language(
        """#include <stdio.h>
typedef long long num;
typedef struct { num v[4096]; num n; } list;
static num quo(num a, num b) { num q = a / b; return a % b != 0 && (a < 0) != (b < 0) ? q - 1 : q; }
static num rem(num a, num b) { return a - b * quo(a, b); }
static num largest(num a, num b) { return a > b ? a : b; }
static num least(num a, num b) { return a < b ? a : b; }
static list a, b, c, d, e;
static void show(list *l) {
    for (num i = 0; i < l->n; i++) printf(i ? " %lld" : "%lld", l->v[i]);
    puts("");
}
int main(void) {
    num k;
    if (scanf("%lld", &k) != 1) return 1;
    while (scanf("%lld", &a.v[a.n]) == 1) a.n++;
""",
        "    return 0;\n}\n",
        {
            **_C_EXPR, "item": "{0}.v[{1}]", "len": "{0}.n", "max": "largest({0}, {1})", "min": "least({0}, {1})",
            "abs": "({0} < 0 ? -({0}) : ({0}))",
        },
        {
            "let": "num {0} = {1};", "set": "{0} = {1};", "list": "{0}.n = 0;", "push": "{0}.v[{0}.n++] = {1};",
            "put": "{0}.v[{1}] = {2};", "for": "for (num {0} = {1}; {0} < {2}; {0}++) {{", "while": "while ({0}) {{", "if": "if ({0}) {{",
            "print": 'printf("%lld\\n", (num)({0}));', "show": "show(&{0});",
        },
    ),
    "java": Language(
        """import java.util.*;

public class Main {
    static long quo(long a, long b) { return Math.floorDiv(a, b); }
    static long rem(long a, long b) { return Math.floorMod(a, b); }

    public static void main(String[] args) {
        Scanner in = new Scanner(System.in);
        long k = in.nextLong();
        ArrayList<Long> a = new ArrayList<>();
        while (in.hasNextLong()) a.add(in.nextLong());
""",
        "    }\n}\n",
        {
            **_C_EXPR, "item": "{0}.get((int) ({1}))", "len": "(long) {0}.size()", "max": "Math.max({0}, {1})",
            "min": "Math.min({0}, {1})", "abs": "Math.abs({0})", "==": "((long) ({0}) == (long) ({1}))", "!=": "((long) ({0}) != (long) ({1}))",
        },
        {
            "let": "long {0} = {1};", "set": "{0} = {1};", "list": "ArrayList<Long> {0} = new ArrayList<>();", "push": "{0}.add((long) ({1}));",
            "put": "{0}.set((int) ({1}), (long) ({2}));", "for": "for (long {0} = {1}; {0} < {2}; {0}++) {{", "while": "while ({0}) {{",
            "if": "if ({0}) {{", "print": "System.out.println((long) ({0}));",
            "show": 'System.out.println(String.join(" ", {0}.stream().map(String::valueOf).toList()));',
        },
        indent=2,
    ),
    "javascript": Language(
        """const quo = (a, b) => Math.floor(a / b);
const rem = (a, b) => a - b * quo(a, b);
const words = require("fs").readFileSync(0, "utf8").split(/\\s+/).filter((word) => word).map(Number);
const k = words[0];
const a = words.slice(1);
""",
        "",
        {
            **_C_EXPR, "item": "{0}[{1}]", "len": "{0}.length", "max": "Math.max({0}, {1})", "min": "Math.min({0}, {1})",
            "abs": "Math.abs({0})", "==": "({0} === {1})", "!=": "({0} !== {1})",
        },
        {
            "let": "let {0} = {1};", "set": "{0} = {1};", "list": "const {0} = [];", "push": "{0}.push({1});", "put": "{0}[{1}] = {2};",
            "for": "for (let {0} = {1}; {0} < {2}; {0}++) {{", "while": "while ({0}) {{", "if": "if ({0}) {{", "print": "console.log(String(({0}) + 0));",
            "show": 'console.log({0}.map((n) => String(n + 0)).join(" "));',
        },
        indent=0,
    ),
    "rust": Language(
        """#![allow(unused)]
use std::io::Read;

fn quo(a: i64, b: i64) -> i64 {
    let q = a / b;
    if a % b != 0 && (a < 0) != (b < 0) { q - 1 } else { q }
}

fn rem(a: i64, b: i64) -> i64 {
    a - b * quo(a, b)
}

fn main() {
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text).unwrap();
    let words: Vec<i64> = text.split_whitespace().map(|w| w.parse().unwrap()).collect();
    let k: i64 = words[0];
    let mut a: Vec<i64> = words[1..].to_vec();
""",
        "}\n",
        {
            **_C_EXPR, "item": "{0}[({1}) as usize]", "len": "({0}.len() as i64)", "max": "std::cmp::max({0}, {1})",
            "min": "std::cmp::min({0}, {1})", "abs": "i64::abs({0})",
        },
        {
            "let": "let mut {0}: i64 = {1};", "set": "{0} = {1};", "list": "let mut {0}: Vec<i64> = Vec::new();",
            "push": "let p_: i64 = {1}; {0}.push(p_);", "put": "let q_ = ({1}) as usize; let p_: i64 = {2}; {0}[q_] = p_;",
            "for": "let e_: i64 = {2}; for {0} in ({1})..e_ {{", "while": "while {0} {{", "if": "if {0} {{", "print": 'println!("{{}}", {0});',
            "show": 'println!("{{}}", {0}.iter().map(|n| n.to_string()).collect::<Vec<_>>().join(" "));',
        },
    ),
    "go": Language(
        """package main

import (
	"bufio"
	"fmt"
	"os"
)

func quo(a, b int64) int64 {
	q := a / b
	if a%b != 0 && (a < 0) != (b < 0) {
		return q - 1
	}
	return q
}

func rem(a, b int64) int64 { return a - b*quo(a, b) }

func abs(a int64) int64 {
	if a < 0 {
		return -a
	}
	return a
}

func largest(a, b int64) int64 {
	if a > b {
		return a
	}
	return b
}

func least(a, b int64) int64 { return -largest(-a, -b) }

func show(a []int64) {
	for i, n := range a {
		if i > 0 {
			fmt.Print(" ")
		}
		fmt.Print(n)
	}
	fmt.Println()
}

func main() {
	in := bufio.NewReader(os.Stdin)
	var k, word int64
	fmt.Fscan(in, &k)
	a := []int64{}
	for {
		if _, err := fmt.Fscan(in, &word); err != nil {
			break
		}
		a = append(a, word)
	}
	_, _, _, _ = quo(1, 1), rem(1, 1), abs(k), least(k, k)
""",
        "}\n",
        {
            **_C_EXPR, "item": "{0}[{1}]", "len": "int64(len({0}))", "max": "largest({0}, {1})", "min": "least({0}, {1})", "abs": "abs({0})",
        },
        {
            "let": "var {0} int64 = {1}; _ = {0}", "set": "{0} = {1}", "list": "{0} := []int64{{}}", "push": "{0} = append({0}, {1})",
            "put": "{0}[{1}] = {2}", "for": "for {0} := int64({1}); {0} < {2}; {0}++ {{", "while": "for {0} {{", "if": "if {0} {{",
            "print": "fmt.Println(int64({0}))", "show": "show({0})",
        },
    ),
}  # fmt: skip


def write(body: Body, language: str) -> str:
    """The program in one of the languages."""
    how = LANGUAGES[language]
    lines = [f"{'    ' * how.indent}{line}" for line in _lines(body, how)]
    return how.head + "".join(f"{line}\n" for line in lines) + how.tail


def _lines(body: Body, how: Language) -> list[str]:
    lines: list[str] = []
    for kind, *parts in body:
        blocks = [part for part in parts if isinstance(part, list)]
        named = kind in ("let", "set", "list", "for")
        given = [
            part if named and at == 0 else _bare(_expr(part, how))
            for at, part in enumerate(parts)
            if not isinstance(part, list)
        ]
        lines.append(how.forms[kind].format(*given))
        if not blocks:
            continue
        lines += [f"    {line}" for line in _lines(blocks[0], how)] or ["    pass"] * (not how.close)
        if len(blocks) > 1 and blocks[1]:
            lines.append(how.other)
            lines += [f"    {line}" for line in _lines(blocks[1], how)]
        if how.close:
            lines.append(how.close)
    return lines


def _bare(text: str) -> str:
    """An expression without the brackets around the whole of it."""
    depth = 0
    for at, letter in enumerate(text):
        depth += (letter == "(") - (letter == ")")
        if depth == 0:
            return text[1:-1] if at == len(text) - 1 and text.startswith("(") else text
    return text


def _expr(expr: Expr, how: Language) -> str:
    if isinstance(expr, int):
        return str(expr) if expr >= 0 else f"({expr})"
    if isinstance(expr, str):
        return expr
    kind, *parts = expr
    written = [_expr(part, how) for part in parts]
    if kind in how.expr:
        return how.expr[kind].format(*written)
    return f"({written[0]} {kind} {written[1]})"
