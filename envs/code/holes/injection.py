"""Text that becomes code: queries, commands, expressions, pages, log lines, headers."""

from __future__ import annotations

from proofgym.envs.code.holes.hole import Hole, hole
from proofgym.envs.code.program import Draw

_PEOPLE = ["Ada", "Bo", "Cyd", "Mary Ann", "x; y", "100%", 'the "Owl"', "Zoë", "--dash", "semi;colon"]


@hole("CWE-89")
def sql_injection(draw: Draw) -> Hole:
    table, key, value = (
        draw.pick("users", "staff", "members"),
        draw.pick("name", "login"),
        draw.pick("phone", "email", "badge"),
    )
    by = draw.pick("=", "LIKE")
    escaped = draw.pick("", '    wanted = wanted.replace("\'", "\\\\\'")\n')

    def source(build: str, arguments: str) -> str:
        return f"""import sqlite3


def find(rows, wanted):
    db = sqlite3.connect(":memory:")
    db.execute("CREATE TABLE {table} (id INTEGER, {key} TEXT, {value} TEXT, hidden INTEGER)")
    db.executemany("INSERT INTO {table} VALUES (?, ?, ?, ?)", rows)
{build}
    return [row[0] for row in db.execute(query{arguments})]
"""

    select = f"SELECT {value} FROM {table} WHERE hidden = 0 AND {key} {by}"
    names = draw.sample(_PEOPLE, 6)
    rows = [[n, name, f"{value}-{draw.whole(100, 999)}", int(draw.chance(0.4))] for n, name in enumerate(names, 1)]
    rows += [[7, "O'Hara", "celtic", 0], [8, "root", "s3cret", 1]]
    attacks = [
        "' OR '1'='1",
        "' OR 1=1 --",
        "x' UNION SELECT 's3cret' --",
        "root' OR hidden='1",
        "zz' OR 'a'='a",
        "' OR hidden=1 OR '",
    ]
    like = " (as SQL's LIKE has it, with % and _)" if by == "LIKE" else ""
    return Hole(
        "CWE-89", "SQL injection", "find", "def find(rows: list, wanted: str) -> list[str]",
        f"""Put the rows (id, {key}, {value}, hidden) into a table and return the {value} of every row that is not hidden and whose {key} is
        wanted{like}, by ascending id. wanted comes from the public and may be any text; whatever it is, rows that do not match it, and hidden
        ones, must not come back, and no text may cause an error.""",
        source(f"{escaped}    query = f\"{select} '{{wanted}}' ORDER BY id\"", ""),
        source(f'    query = "{select} ? ORDER BY id"', ", [wanted]"),
        [[rows, name] for name in (*names, "nobody", "ada")],
        [[rows, text] for text in (*draw.sample(attacks, 4), "O'Hara")],
    )  # fmt: skip


@hole("CWE-78")
def command_injection(draw: Draw) -> Hole:
    word, prefix = draw.pick("greeting", "label", "title"), draw.pick("Hello", "Dear", "Item")
    quoted = draw.chance(0.5)
    attacks = ["$(echo pwned)", "`echo pwned`", "$HOME", "a $(id -u) b"]
    attacks += ["'$HOME'", "${PATH}x"] if quoted else ["x; echo pwned", "x && echo pwned", "two  blanks", 'say "hi"']
    argument = "'\"' + text.replace('\"', '') + '\"'" if quoted else "text"

    def source(run: str) -> str:
        return f"""import subprocess


def banner(text):
    done = subprocess.run({run}, capture_output=True, text=True)
    return done.stdout.rstrip("\\n")
"""

    return Hole(
        "CWE-78", "OS command injection", "banner", "def banner(text: str) -> str",
        f"""Return the {word} '{prefix} ' followed by the text, as the program echo prints it, without the line end. The text comes from the public: whatever is in it must be
        printed as it stands, and must never be taken for a command or a part of one. It has no backslash, no line break{' and no double quote' if quoted else ''} in it.""",
        source(f"'echo {prefix} ' + {argument}, shell=True"),
        source(f'["echo", "{prefix} " + text]'),
        [[text] for text in draw.sample(["Ada", "all of you", "number 7", "x-y_z", "Zoe", "a.b.c", "1 2 3"], 6)],
        [[text] for text in draw.sample(attacks, 5)],
        lambda args: f"{prefix} {args[0]}",
    )  # fmt: skip


@hole("CWE-95")
def eval_injection(draw: Draw) -> Hole:
    error = draw.pick(None, -1)
    names = {letter: draw.whole(2, 9) for letter in draw.sample("abxy", 2)}
    shown = " and ".join(f"{name} = {value}" for name, value in sorted(names.items()))
    weak = f"""
def calculate(text):
    names = {names!r}
    try:
        return eval(text, dict(names))
    except Exception:
        return {error!r}
"""
    sound = f"""import ast
import operator

OPERATIONS = {{ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.USub: operator.neg}}


def calculate(text):
    names = {names!r}

    def value(node):
        if isinstance(node, ast.Constant) and type(node.value) is int:
            return node.value
        if isinstance(node, ast.Name) and node.id in names:
            return names[node.id]
        if isinstance(node, ast.BinOp) and type(node.op) in OPERATIONS:
            return OPERATIONS[type(node.op)](value(node.left), value(node.right))
        if isinstance(node, ast.UnaryOp) and type(node.op) in OPERATIONS:
            return OPERATIONS[type(node.op)](value(node.operand))
        raise ValueError("not allowed")

    try:
        return value(ast.parse(text, mode="eval").body)
    except Exception:
        return {error!r}
"""
    a, b = sorted(names)
    uses = ["1 + 2 * 3", f"({a} - 4) * 2", f"{a} * {b}", "2 -", "-3 + 1", f"-({b})", "q", "7", "(1 + 2", "10 - 2 - 3"]
    attacks = [
        "__import__('os').getpid()",
        "len('abc')",
        "[7][0]",
        "(lambda: 5)()",
        f"{a} if 1 else {b}",
        "sum([1, 2])",
        "2 ** 10",
        "ord('a')",
        "1 == 1",
        "'a' * 3",
    ]
    return Hole(
        "CWE-95", "eval injection", "calculate", "def calculate(text: str)",
        f"""Work out an expression with whole numbers, +, - (also as a sign), *, brackets, and the names {shown}. Return its value, and {error!r} for any other text:
        the text comes from the public, and nothing but such arithmetic may be evaluated.""",
        weak.lstrip("\n"), sound, [[text] for text in draw.sample(uses, 8)], [[text] for text in draw.sample(attacks, 6)],
    )  # fmt: skip


@hole("CWE-79")
def cross_site_scripting(draw: Draw) -> Hole:
    tag, field = draw.pick("p", "li", "td"), draw.pick("title", "alt", "data-user")
    forgot = draw.pick("name", "comment")
    clean = {"name": "html.escape(name)", "comment": "html.escape(comment)"}
    weak = dict(clean, **{forgot: draw.pick(forgot, f"{forgot}.replace('<script>', '')")})

    def page(parts: dict[str, str]) -> str:
        return f"""import html


def render(name, comment):
    name = {parts["name"]}
    comment = {parts["comment"]}
    return f'<{tag} {field}="{{name}}">{{comment}}</{tag}>'
"""

    bad = [
        '"><script>alert(1)</script>',
        "<img src=x onerror=alert(1)>",
        '" onmouseover="alert(1)',
        "<scr<script>ipt>",
        "<b>bold</b>",
        "a & <i>b</i>",
    ]
    attacks = [[text, "nice"] if forgot == "name" else ["Ada", text] for text in bad]
    return Hole(
        "CWE-79", "cross-site scripting", "render", "def render(name: str, comment: str) -> str",
        f"""Return '<{tag} {field}="NAME">COMMENT</{tag}>' with the name and the comment in it, both of them from the public and shown to others. In both, the characters
        &, <, >, " and ' must be written as &amp;, &lt;, &gt;, &quot; and &#x27;, and everything else as it stands.""",
        page(weak), page(clean), [[draw.pick("Ada", "Bo", "Zoë"), text] for text in ("hello", "2 + 2 = 4", "", "so it is!", "a-b_c", "ça va?")], draw.sample(attacks, 5),
    )  # fmt: skip


@hole("CWE-117")
def log_forging(draw: Draw) -> Hole:
    mark, kind = draw.pick(" | ", " - ", ": "), draw.pick("login", "upload", "order")
    weak = f"""
def record(log, user, action):
    log = list(log)
    line = f"{kind}{mark}{{user}}{mark}{{action}}"
    log.extend(LINES)
    return log
"""
    sound = """line.replace("\\\\", "\\\\\\\\").replace("\\r", "\\\\r").replace("\\n", "\\\\n")"""
    attacks = [["eve\nlogin | root", "ok"], ["eve", "ok\r\nlogin: root"], ["a\nb", "c\nd"], ["eve\r", "x"], ["e", "\n"]]
    return Hole(
        "CWE-117", "log injection", "record", "def record(log: list[str], user: str, action: str) -> list[str]",
        f"""Return the log with exactly one line more, '{kind}{mark}USER{mark}ACTION'. User and action come from the public and must not be able to
        begin a line of their own: in the new line every backslash is written as two, every carriage return as backslash r, and every line feed as
        backslash n.""",
        weak.lstrip("\n").replace("LINES", 'line.replace("\\\\", "\\\\\\\\").split("\\n")'),
        weak.lstrip("\n").replace("LINES", f"[{sound}]"),
        [[["first"], user, action] for user, action in (("ada", "in"), ("bo", "out again"), ("x\\y", "z"), ("", "nothing"), ("c", "a | b"), ("d d", "tab\there"))],
        [[["first"], *attack] for attack in attacks],
    )  # fmt: skip


@hole("CWE-113")
def header_splitting(draw: Draw) -> Hole:
    name, status = draw.pick("Location", "X-Name", "Set-Cookie"), draw.pick(200, 302)
    error = draw.pick("bad", "refused")
    weak = draw.pick('"\\r\\n" in value', 'value.endswith("\\n")')
    sound = "any(ord(letter) < 32 or ord(letter) == 127 for letter in value)"

    def source(check: str) -> str:
        return f"""
def respond(value):
    if len(value) > 2000 or {check}:
        return "{error}"
    return f"HTTP/1.1 {status}\\r\\n{name}: {{value}}\\r\\n\\r\\n"
""".lstrip("\n")

    return Hole(
        "CWE-113", "HTTP header splitting", "respond", "def respond(value: str) -> str",
        f"""Return the response 'HTTP/1.1 {status}', CRLF, '{name}: ' and the value, CRLF, CRLF. The value comes from the public: if it has any control
        character in it (a code point below 32, or 127) or more than 2000 characters, return '{error}' instead.""",
        source(weak), source(sound),
        [["/home"], ["a=b; c=d"], [""], ["https://example.org/x?y=1"], ["x" * 2001], ["é"], ["two words"]],
        [["x\nEvil: 1"], ["a\rb"], ["\x7f"], ["x\n\n<html>"], ["tab\there"]],
    )  # fmt: skip
