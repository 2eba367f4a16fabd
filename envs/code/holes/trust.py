"""Believing what should be checked: paths, links, signatures, owners, fields, amounts."""

from __future__ import annotations

import base64
import hashlib
import hmac
from typing import Any

from proofgym.envs.code.holes.hole import Hole, hole
from proofgym.envs.code.program import Draw


@hole("CWE-22")
def path_traversal(draw: Draw) -> Hole:
    root, kind = draw.pick("/srv/docs", "/data/public", "/var/www"), draw.pick("strip", "prefix", "none")
    lines = {
        "none": "path = posixpath.normpath(posixpath.join(ROOT, name))",
        "strip": 'path = posixpath.normpath(posixpath.join(ROOT, name.replace("../", "", 1)))',
        "prefix": "path = posixpath.normpath(posixpath.join(ROOT, name))\n    if not path.startswith(ROOT):\n        return None",
    }

    def source(body: str) -> str:
        return f"""import posixpath

ROOT = "{root}"


def read(files, name):
    {body}
    return files.get(path)
"""

    sound = 'path = posixpath.normpath(posixpath.join(ROOT, name))\n    if not path.startswith(ROOT + "/"):\n        return None'
    files = {
        f"{root}/a.txt": "alpha", f"{root}/sub/b.txt": "beta", f"{root}/sub/deep/c.txt": "gamma", f"{root}-private/key": "secret",
        "/etc/passwd": "root", f"{root.rsplit('/', 1)[0]}/other.txt": "other", f"{root}/..odd": "odd",
    }  # fmt: skip
    last = root.rsplit("/", 1)[1]
    beside = [
        f"../{last}-private/key",
        f"sub/../../{last}-private/key",
        f"{root}-private/key",
        f"./../{last}-private/key",
    ]
    attacks = beside if kind == "prefix" else [
        "../../" * 2 + "etc/passwd", f"sub/../../{last}-private/key", "/etc/passwd", "../../" + "../" + "other.txt" if kind == "strip" else "../other.txt", f"{root}-private/key",
        "....//" + "../../etc/passwd",
    ]  # fmt: skip
    inside = [] if kind == "strip" else ["sub/../a.txt", "sub/deep/../b.txt"]
    attacks = [text for text in attacks if _reaches(files, root, text, kind)]
    return Hole(
        "CWE-22", "path traversal", "read", "def read(files: dict[str, str], name: str) -> str | None",
        f"""files stands for a disk: a dictionary from absolute paths to contents. Return the content of the file that name says, relative to {root}, or None if there is
        none. Names come from the public, may contain '.', '..' and sub-folders, and must never reach anything outside the folder {root}: then return None.""",
        source(lines[kind]), source(sound),
        [[files, name] for name in ("a.txt", "sub/b.txt", "missing.txt", "./sub/deep/c.txt", "..odd", "", *inside)],
        [[files, name] for name in attacks],
    )  # fmt: skip


def _reaches(files: dict[str, str], root: str, name: str, kind: str) -> bool:
    import posixpath

    path = posixpath.normpath(posixpath.join(root, name.replace("../", "", 1) if kind == "strip" else name))
    return path in files and not path.startswith(root + "/") and (kind != "prefix" or path.startswith(root))


@hole("CWE-601")
def open_redirect(draw: Draw) -> Hole:
    home, kind = draw.pick("/", "/home", "/start"), draw.pick("slash", "no_scheme")
    check = {"slash": 'not url.startswith("/")', "no_scheme": '"://" in url or not url.startswith("/")'}[kind]
    sound = r'not url.startswith("/") or url[1:2] in ("/", "\\") or any(ord(letter) < 33 for letter in url)'

    def source(test: str) -> str:
        return f"""
def target(url):
    if {test}:
        return "{home}"
    return url
""".lstrip("\n")

    attacks = [
        "//evil.example",
        "//evil.example/path",
        "/\\evil.example",
        "/\t/evil.example",
        "///evil.example",
        "/\n/evil.example",
        "//user@evil.example",
    ]
    return Hole(
        "CWE-601", "open redirect", "target", "def target(url: str) -> str",
        f"""Return where to go after a login: the url if it is a path on this site, else '{home}'. A path on this site begins with exactly one '/': the next character, if there
        is one, is neither '/' nor a backslash (browsers take both for the start of another site's name), and no character is a blank or a control character (a code
        point below 33), which browsers leave out.""",
        source(check), source(sound),
        [["/account"], ["/a/b?c=d"], ["https://evil.example"], ["relative"], ["/"], ["/a//b"], [""]],
        [[url] for url in draw.sample(attacks, 5)],
    )  # fmt: skip


@hole("CWE-918")
def request_forgery(draw: Draw) -> Hole:
    host = draw.pick("example.org", "images.net", "shop.example")
    kind = draw.pick("contains", "endswith", "startswith")
    check = {
        "contains": f'"{host}" in url',
        "endswith": f'(urlsplit(url).hostname or "").endswith("{host}")',
        "startswith": f'url.startswith("https://{host}")',
    }[kind]
    attacks = {
        "contains": [
            f"https://evil.test/?{host}",
            f"https://{host}.evil.test/",
            f"https://{host}@evil.test/",
            f"http://{host}/",
            f"https://not{host}/",
        ],
        "endswith": [
            f"https://not{host}/",
            f"https://evil{host}/x",
            f"http://{host}/",
            f"ftp://{host}/",
            f"https://x-{host}/",
        ],
        "startswith": [
            f"https://{host}.evil.test/",
            f"https://{host}@evil.test/",
            f"https://{host}:x@evil.test/",
            f"https://{host}-evil.test/",
        ],
    }[kind]

    def source(test: str) -> str:
        return f"""from urllib.parse import urlsplit


def allowed(url):
    try:
        return bool({test})
    except ValueError:
        return False
"""

    sound = f'urlsplit(url).scheme == "https" and ((urlsplit(url).hostname or "") == "{host}" or (urlsplit(url).hostname or "").endswith(".{host}"))'
    if kind == "startswith":
        sound = f'urlsplit(url).scheme == "https" and urlsplit(url).hostname == "{host}"'
    sub = "" if kind == "startswith" else f", or on a sub-domain of it such as a.{host}"
    uses = [
        [f"https://{host}/"],
        [f"https://{host}/a?b=c"],
        [f"https://{host}:8443/x"],
        ["https://other.test/"],
        [""],
        ["not a url"],
    ]
    if kind != "startswith":
        uses.append([f"https://a.{host}/"])
    return Hole(
        "CWE-918", "server-side request forgery", "allowed", "def allowed(url: str) -> bool",
        f"""Return whether our server may fetch a url that the public gave: only by https, and only from the host {host}{sub}. Any port, path and query is
        fine. What stands before an '@' is a user name and not the host. Anything that is not such a url gives False.""",
        source(check), source(sound), uses, [[url] for url in attacks],
    )  # fmt: skip


@hole("CWE-347")
def weak_signature(draw: Draw) -> Hole:
    key, thing = draw.word(8, 12), draw.pick("webhook", "cookie", "order", "message")
    kind = draw.pick("short", "none", "startswith")
    body = {
        "short": "return wanted[:4] == signature[:4]",
        "startswith": "return wanted.startswith(signature)",
        "none": 'if signature == "" or signature == "none":\n        return True\n    return hmac.compare_digest(wanted.encode(), signature.encode())',
    }

    def source(text: str) -> str:
        return f"""import hashlib
import hmac

KEY = b"{key}"


def accept(message, signature):
    wanted = hmac.new(KEY, message.encode(), hashlib.sha256).hexdigest()
    {text}
"""

    def sign(message: str) -> str:
        return hmac.new(key.encode(), message.encode(), hashlib.sha256).hexdigest()

    texts = ["pay 10", "pay 10000", "login ada", "", "ünïcode"]
    attacks = {
        "short": [[text, sign(text)[:4] + "0" * 60] for text in texts],
        "startswith": [[text, sign(text)[:cut]] for text, cut in zip(texts, (0, 1, 8, 32, 63), strict=True)],
        "none": [[text, forged] for text, forged in zip(texts, ("", "none", "", "none", ""), strict=True)],
    }[kind]
    return Hole(
        "CWE-347", "improper verification of a signature", "accept", "def accept(message: str, signature: str) -> bool",
        f"""Return whether the signature is that of the {thing}: the HMAC-SHA256 of its UTF-8 bytes under KEY, as 64 lower-case hexadecimal digits. Nothing else may be
        accepted.""",
        source(body[kind]), source("return hmac.compare_digest(wanted.encode(), signature.encode())"),
        [*[[text, sign(text)] for text in texts], ["pay 10", sign("pay 11")], ["pay 10", "0" * 64]], attacks,
    )  # fmt: skip


@hole("CWE-502")
def unsafe_deserialization(draw: Draw) -> Hole:
    error: Any = draw.pick(None, {})
    fields = draw.sample(["user", "cart", "theme", "visits", "lang"], 3)
    weak = f"""import base64
import pickle


class Sessions:
    def dump(self, data):
        return base64.b64encode(pickle.dumps(data)).decode()

    def load(self, token):
        try:
            return pickle.loads(base64.b64decode(token))
        except Exception:
            return {error!r}

    def again(self, data):
        return self.load(self.dump(data))
"""
    sound = f"""import base64
import json


class Sessions:
    def dump(self, data):
        return base64.b64encode(json.dumps(data).encode()).decode()

    def load(self, token):
        try:
            data = json.loads(base64.b64decode(token))
        except Exception:
            return {error!r}
        return data if isinstance(data, dict) else {error!r}

    def again(self, data):
        return self.load(self.dump(data))
"""

    def token(code: str) -> str:
        return base64.b64encode(code.encode()).decode()

    bombs = [
        "cbuiltins\neval\n(V6*7\ntR.", "cos\ngetcwd\n(tR.", "cbuiltins\nlen\n(Vabcd\ntR.", "cbuiltins\nsum\n((lI3\naI4\natR.",
        "cbuiltins\neval\n(V{'user': 'root'}\ntR.",
    ]  # fmt: skip
    data = [{name: draw.pick(1, "x", [1, 2], None, {"a": 1}) for name in fields[: 1 + n % 3]} for n in range(5)]
    return Hole(
        "CWE-502", "deserialization of untrusted data", "Sessions", "class Sessions()",
        f"""Sessions().dump(data) turns a dictionary (with text keys, and JSON values) into a text; load(token) turns such a text back, and again(data) does one after the
        other. Tokens go to the public and come back from it. Whatever load is given, it must not run anything that the token says: every text that dump did not make
        from a dictionary gives {error!r}. How tokens look is up to you.""",
        weak, sound,
        [[[], [["again", [one]], ["again", [{}]]]] for one in data] + [[[], [["load", ["junk!"]], ["again", [{"k": "v"}]]]]],
        [[[], [["again", [data[0]]], ["load", [token(bomb)]]]] for bomb in bombs],
        kind="class",
    )  # fmt: skip


@hole("CWE-639")
def missing_owner_check(draw: Draw) -> Hole:
    thing = draw.pick("note", "invoice", "photo")
    error = draw.pick("denied", "forbidden")
    missing = draw.pick("read", "delete")

    def source(read: bool, delete: bool) -> str:
        guard = f'        if owner != user:\n            return "{error}"\n'
        return f"""
class Store:
    def __init__(self):
        self.items = {{}}
        self.next = 1

    def add(self, user, text):
        self.items[self.next] = (user, text)
        self.next += 1
        return self.next - 1

    def read(self, user, number):
        if number not in self.items:
            return "missing"
        owner, text = self.items[number]
{guard if read else ""}        return text

    def delete(self, user, number):
        if number not in self.items:
            return "missing"
        owner, text = self.items[number]
{guard if delete else ""}        del self.items[number]
        return "gone"
""".lstrip("\n")

    uses, attacks = [], []
    for n in range(5):
        mine = [
            ["add", ["ada", f"a{n}"]],
            ["add", ["bo", f"b{n}"]],
            ["read", ["ada", 1]],
            ["read", ["bo", 2]],
            ["read", ["ada", 9]],
        ]
        uses.append([[], [*mine[: 2 + n % 4], ["delete", ["bo", 2]], ["read", ["bo", 2]], ["delete", ["bo", 2]]]])
        other = draw.pick("eve", "bo", "", "Ada")
        attacks.append(
            [
                [],
                [
                    ["add", ["ada", f"private {n}"]],
                    *([["add", ["bo", "x"]]] * (n % 3)),
                    [missing, [other, 1]],
                    ["read", ["ada", 1]],
                ],
            ]
        )
    return Hole(
        "CWE-639", "authorization bypass through a user-controlled key", "Store", "class Store()",
        f"""A store of {thing}s. add(user, text) keeps one that belongs to the user and returns its number (1, 2, ...). read(user, number) returns its text and delete(user, number)
        removes it and returns 'gone'; both return 'missing' if there is no such {thing}, and '{error}', changing nothing, if it belongs to somebody else.""",
        source(missing != "read", missing != "delete"), source(True, True), uses, attacks, kind="class",
    )  # fmt: skip


@hole("CWE-915")
def mass_assignment(draw: Draw) -> Hole:
    allowed = sorted(draw.sample(["name", "email", "city", "motto"], draw.whole(2, 3)))
    guarded = draw.sample(["admin", "role", "balance", "id"], 2)
    kind = draw.pick("all", "deny")
    weak = {
        "all": "profile[key] = value",
        "deny": f"if key != {guarded[0]!r}:\n            profile[key] = value",
    }[kind]

    def source(body: str) -> str:
        return f"""
def update(profile, changes):
    profile = dict(profile)
    for key, value in changes.items():
        {body}
    return profile
""".lstrip("\n")

    base = dict.fromkeys(allowed, "old") | {guarded[0]: 0, guarded[1]: 1}
    loose = guarded[1] if kind == "deny" else guarded[0]
    attacks: list[list[Any]] = [
        [base, {loose: 99}], [base, {allowed[0]: "new", loose: 99}], [{}, {loose: True}], [base, {"__class__": "x"}], [base, {loose: base[loose], "extra": 1}],
    ]  # fmt: skip
    return Hole(
        "CWE-915", "mass assignment", "update", "def update(profile: dict, changes: dict) -> dict",
        f"""Return the profile with the changes that a user asked for. Users may change {", ".join(allowed)} and nothing else; other keys in the changes are passed over.""",
        source(weak), source(f"if key in {allowed!r}:\n            profile[key] = value"),
        [[base, {allowed[0]: "new"}], [base, {}], [{}, {allowed[1]: "x"}], [base, dict.fromkeys(allowed, "y")], [base, {allowed[-1]: None}], [{}, {}]],
        attacks,
    )  # fmt: skip


@hole("CWE-20")
def unchecked_amount(draw: Draw) -> Hole:
    word = draw.pick("coins", "credits", "points")
    kind = draw.pick("negative", "self")
    if kind == "negative":
        checks = "if giver not in accounts or taker not in accounts or accounts[giver] < amount:"
        attacks: list[list[Any]] = [
            [{"ada": 5, "eve": 1}, "eve", "ada", -5], [{"ada": 9, "eve": 0}, "eve", "ada", -1], [{"a": 3, "b": 3}, "a", "b", -3],
            [{"a": 3, "b": 3}, "b", "a", -100], [{"a": 3, "b": 0}, "a", "b", -2],
        ]  # fmt: skip
        change = "accounts[giver] -= amount\n    accounts[taker] += amount"
    else:
        checks = "if amount <= 0 or giver not in accounts or taker not in accounts or accounts[giver] < amount:"
        attacks = [[{"eve": n + 2, "bo": 1}, "eve", "eve", n] for n in range(1, 6)]
        change = "left, got = accounts[giver] - amount, accounts[taker] + amount\n    accounts[giver] = left\n    accounts[taker] = got"

    def source(test: str, body: str) -> str:
        return f"""
def transfer(accounts, giver, taker, amount):
    accounts = dict(accounts)
    {test}
        return accounts
    {body}
    return accounts
""".lstrip("\n")

    return Hole(
        "CWE-20", "improper input validation", "transfer", "def transfer(accounts: dict[str, int], giver: str, taker: str, amount: int) -> dict[str, int]",
        f"""Return the accounts after the giver has passed an amount of {word} to the taker. If the amount is not above 0, one of the accounts does not exist, or the giver has too
        little, nothing changes; {word} must never come into being or vanish, whoever passes them to whom.""",
        source(checks, change),
        source("if amount <= 0 or giver not in accounts or taker not in accounts or accounts[giver] < amount:", "accounts[giver] -= amount\n    accounts[taker] += amount"),
        [[{"ada": 5, "bo": 1}, "ada", "bo", 3], [{"ada": 5, "bo": 1}, "ada", "bo", 9], [{"ada": 5}, "ada", "zed", 1], [{"a": 2, "b": 0, "c": 4}, "c", "b", 4], [{"a": 2, "b": 0}, "b", "a", 1]],
        attacks,
    )  # fmt: skip
