"""A router for web requests: patterns, a table of routes, checks before them, and answers."""

from __future__ import annotations

from typing import Any

from proofgym.envs.code.program import Draw
from proofgym.envs.code.templates.repository import Repository, fill, template

_PATTERN = '''
"""Patterns such as /users/<id:int>/posts/<slug>: parts in brackets match one part of a path each; <*> matches the rest."""


class BadPattern(ValueError):
    """A pattern that cannot be used."""


def split(path):
    return [part for part in path.split("/") if part]


class Pattern:
    def __init__(self, text):
        self.text = text
        self.parts = split(text)
        if "<*>" in self.parts[:-1]:
            raise BadPattern("<*> comes last")

    def match(self, path):
        """The values by name, or None; numbers of the kind int become whole numbers."""
        given = split(path)
        values = {}
        for at, part in enumerate(self.parts):
            if part == "<*>":
                values["rest"] = "/".join(given[at:])
                return values
            if at >= len(given):
                return None
            if part.startswith("<"):
                name, _, kind = part[1:-1].partition(":")
                if kind == "int":
                    if not given[at].isdigit():
                        return None
                    values[name] = int(given[at])
                else:
                    values[name] = given[at]
            elif part != given[at]@fold@:
                return None
        return values if len(given) == len(self.parts) else None

    def weight(self):
        """How exact it is: plain parts count @plain@, numbers @int@, other parts 1, and <*> nothing."""
        total = 0
        for part in self.parts:
            if part == "<*>":
                total += 0
            elif not part.startswith("<"):
                total += @plain@
            elif part.endswith(":int>"):
                total += @int@
            else:
                total += 1
        return total
'''
_TABLE = '''
"""Which route answers which request."""

from @package@.pattern import Pattern


class Table:
    def __init__(self):
        self.routes = []

    def add(self, method, text, name):
        if any(known == name for _, _, known in self.routes):
            raise ValueError(f"{name} is there already")
        self.routes.append((method.upper(), Pattern(text), name))
        return len(self.routes)

    def find(self, method, path):
        """[name, values] of the most exact route that matches, the first of equals; or the reason why there is none."""
        best = None
        other = []
        for known, pattern, name in self.routes:
            values = pattern.match(path)
            if values is None:
                continue
            if known != method.upper():
                other.append(known)
            elif best is None or pattern.weight() > best[0]:
                best = (pattern.weight(), name, values)
        if best is not None:
            return [best[1], best[2]]
        if other:
            return [@not_allowed@, sorted(set(other))]
        return [@missing@, []]

    def link(self, name, values):
        """The path that leads to a route."""
        for _, pattern, known in self.routes:
            if known == name:
                parts = []
                for part in pattern.parts:
                    if part == "<*>":
                        parts.append(values.get("rest", ""))
                    elif part.startswith("<"):
                        parts.append(str(values[part[1:-1].partition(":")[0]]))
                    else:
                        parts.append(part)
                return "/" + "/".join(part for part in parts if part)
        raise KeyError(name)
'''
_GUARD = '''
"""What is checked before a route answers."""

LIMIT = @limit@
WINDOW = @window@


class Guard:
    def __init__(self):
        self.seen = {}
        self.roles = {}

    def grant(self, user, role):
        self.roles.setdefault(user, [])
        if role not in self.roles[user]:
            self.roles[user].append(role)
        return sorted(self.roles[user])

    def may(self, user, route):
        """Routes named admin... are for those with the role admin; routes named own... need any role."""
        roles = self.roles.get(user, [])
        if route.startswith("admin"):
            return "admin" in roles
        if route.startswith("own"):
            return len(roles) > 0
        return True

    def busy(self, user, now):
        """Whether a user made LIMIT requests or more within the last WINDOW seconds; this one is counted if not."""
        times = [time for time in self.seen.get(user, []) if now - time < WINDOW]
        if len(times) >= LIMIT:
            self.seen[user] = times
            return True
        self.seen[user] = times + [now]
        return False
'''
_APP = '''
"""Requests and answers."""

from @package@.guard import Guard
from @package@.table import Table


def read_query(text):
    """a=1&b=2&a=3 as a dictionary; a key that comes again gets a list."""
    values = {}
    for part in text.split("&"):
        if not part:
            continue
        key, _, value = part.partition("=")
        value = value.replace("+", " ")
        if key not in values:
            values[key] = value
        elif isinstance(values[key], list):
            values[key].append(value)
        else:
            values[key] = [values[key], value]
    return values


class App:
    def __init__(self):
        self.table = Table()
        self.guard = Guard()

    def request(self, user, now, method, url):
        """[status, name, values] of a request."""
        if self.guard.busy(user, now):
            return [429, "", {}]
        path, _, query = url.partition("?")
        name, values = self.table.find(method, path)
        if isinstance(name, int):
            return [name, "", {"allow": values} if values else {}]
        if not self.guard.may(user, name):
            return [403 if user in self.guard.roles else 401, name, {}]
        if query:
            values = {**read_query(query), **values}
        return [200, name, values]
'''
_DRIVER = """
from @package@.app import App


def start():
    app = App()
    for method, text, name in @routes@:
        app.table.add(method, text, name)
    return app


def do(app, operation, *arguments):
    if operation == "request":
        return app.request(*arguments)
    if operation == "grant":
        return app.guard.grant(*arguments)
    if operation == "link":
        return app.table.link(*arguments)
    if operation == "add":
        return app.table.add(*arguments)
    raise ValueError(operation)
"""


@template
def router(draw: Draw) -> Repository:
    package = draw.pick("router", "webapp", "gateway", "paths")
    thing, sub = draw.pick("users", "books", "rooms"), draw.pick("posts", "pages", "notes")
    routes = [
        ["GET", f"/{thing}", "all"], ["POST", f"/{thing}", "own.add"], ["GET", f"/{thing}/<id:int>", "one"], ["GET", f"/{thing}/<name>", "named"],
        ["GET", f"/{thing}/<id:int>/{sub}/<slug>", "sub"], ["DELETE", f"/{thing}/<id:int>", "admin.delete"], ["GET", "/files/<*>", "files"],
        ["GET", f"/{thing}/new", "own.new"],
    ]  # fmt: skip
    knobs = {
        "package": package, "routes": draw.sample(routes, 7), "plain": draw.whole(3, 4), "int": 2, "limit": draw.whole(2, 4), "window": draw.pick(10, 30, 60),
        "not_allowed": 405, "missing": 404, "fold": draw.pick("", ".lower()"),
    }  # fmt: skip
    modules = {"pattern": _PATTERN, "table": _TABLE, "guard": _GUARD, "app": _APP}
    files = {f"{package}/{name}.py": fill(text, knobs) for name, text in modules.items()}
    files[f"{package}/__init__.py"] = '"""A router."""\n'
    paths = [
        f"/{thing}",
        f"/{thing}/7",
        f"/{thing}/new",
        f"/{thing}/ann/",
        f"/{thing}/7/{sub}/hello",
        "/files/a/b.txt",
        "/files",
        "/nothing",
        f"/{thing}//12",
        f"/{thing.upper()}",
    ]

    def script() -> list[list[Any]]:
        made: list[list[Any]] = []
        now = 0
        for _ in range(draw.whole(4, 8)):
            now += draw.pick(0, 1, 5, 9, 30)
            url = draw.pick(*paths) + draw.pick("", "", "?a=1&b=x+y", "?a=1&a=2&a=3", "?id=5&&z=", "?q")
            made.append(
                draw.pick(
                    ["request", draw.pick("ann", "bob"), now, draw.pick("GET", "get", "POST", "DELETE"), url], ["request", draw.pick("ann", "bob", "cy"), now, "GET", url],
                    ["grant", draw.pick("ann", "bob"), draw.pick("admin", "guest")], ["link", draw.pick("one", "sub", "files", "all"), {"id": draw.whole(1, 9), "slug": "s", "rest": draw.pick("x/y", "")}],
                    ["add", draw.pick("put", "GET"), draw.pick("/extra/<*>", "/<*>/x", "/extra"), draw.pick("extra", "all")],
                )
            )  # fmt: skip
        return made

    return Repository(
        package,
        f"A router. `pattern` matches paths, `table` finds the route, `guard` says who may and how often (at most {knobs['limit']} requests in {knobs['window']} seconds), `app` answers: "
        f"200, 401 (nobody known), 403 (not allowed to), 404, 405 (another method), 429 (too often). Values from the path win over those from the query."
        + (" Parts of a path are compared with the pattern in lower case." if knobs["fold"] else ""),
        files, fill(_DRIVER, knobs),
        {"request": "app.request({0})", "grant": "app.guard.grant({0})", "link": "app.table.link({0})", "add": "app.table.add({0})"},
        script, [f"{package}/{name}.py" for name in modules], repr(knobs),
    )  # fmt: skip
