"""A tracker of tickets: a store, a language of queries, and statistics."""

from __future__ import annotations

from typing import Any

from proofgym.envs.code.program import Draw
from proofgym.envs.code.templates.repository import Repository, fill, template

_MODEL = '''
"""Tickets and what may happen to them."""

STATES = @states@
MOVES = {
    "@s0@": ["@s1@", "@s3@"],
    "@s1@": ["@s0@", "@s2@"],
    "@s2@": ["@s3@", "@s1@"],
    "@s3@": ["@s0@"],
}


class Refused(Exception):
    """A change that the rules do not allow."""


class Ticket:
    def __init__(self, number, title, priority):
        if not 1 <= priority <= @priorities@:
            raise Refused("no such priority")
        self.number = number
        self.title = title
        self.priority = priority
        self.state = STATES[0]
        self.tags = []
        self.changes = 0

    def move(self, state):
        if state not in MOVES[self.state]:
            raise Refused(f"{self.state} -> {state}")
        self.state = state
        self.changes += 1
        if state == "@s3@":
            self.priority = 1

    def tag(self, name):
        name = name.strip().lower()
        if name and name not in self.tags:
            self.tags.append(name)
            self.tags.sort()
        return list(self.tags)
'''
_STORE = '''
"""All tickets, by number."""

from @package@.model import Refused, Ticket


class Store:
    def __init__(self):
        self.tickets = {}
        self.blocks = {}

    def open(self, title, priority=@default@):
        number = @first@ + len(self.tickets)
        self.tickets[number] = Ticket(number, title, priority)
        return number

    def get(self, number):
        return self.tickets[number]

    def block(self, number, by):
        """Ticket number cannot be finished before ticket by; circles are refused."""
        if number == by or self.reaches(by, number):
            raise Refused("a circle")
        self.blocks.setdefault(number, []).append(by)
        return sorted(self.blocks[number])

    def reaches(self, start, goal):
        seen = []
        waiting = [start]
        while waiting:
            number = waiting.pop()
            if number == goal:
                return True
            if number not in seen:
                seen.append(number)
                waiting.extend(self.blocks.get(number, []))
        return False

    def move(self, number, state):
        ticket = self.get(number)
        if state == "@s3@":
            left = [by for by in self.blocks.get(number, []) if self.get(by).state != "@s3@"]
            if left:
                raise Refused("blocked")
        ticket.move(state)
        return ticket.state
'''
_QUERY = '''
"""Queries such as `state:@s0@ priority>2 -tag:ui word`; all parts must hold, and `-` turns one round."""


def matches(ticket, part):
    if part.startswith("-"):
        return not matches(ticket, part[1:])
    if part.startswith("state:"):
        return ticket.state == part[6:]
    if part.startswith("tag:"):
        return part[4:].lower() in ticket.tags
    if part.startswith("priority>"):
        return ticket.priority > int(part[9:])
    if part.startswith("priority<"):
        return ticket.priority < int(part[9:])
    return part.lower() in ticket.title.lower()


def search(store, text):
    """The numbers of all matching tickets, the most urgent (@urgent@ priority) first, then by number."""
    parts = text.split()
    found = [ticket for ticket in store.tickets.values() if all(matches(ticket, part) for part in parts)]
    found.sort(key=lambda ticket: (@sign@ticket.priority, ticket.number))
    return [ticket.number for ticket in found]
'''
_STATS = '''
"""Figures about a store."""

from @package@.model import STATES


def by_state(store):
    counts = {state: 0 for state in STATES}
    for ticket in store.tickets.values():
        counts[ticket.state] += 1
    return counts


def top_tags(store, most=@most@):
    counts = {}
    for ticket in store.tickets.values():
        for tag in ticket.tags:
            counts[tag] = counts.get(tag, 0) + 1
    ranked = sorted(counts, key=lambda tag: (-counts[tag], tag))
    return [[tag, counts[tag]] for tag in ranked[:most]]


def restless(store):
    """The numbers of the tickets that changed more often than the average, by number."""
    tickets = list(store.tickets.values())
    total = sum(ticket.changes for ticket in tickets)
    return [ticket.number for ticket in tickets if ticket.changes * len(tickets) > total]
'''
_DRIVER = """
from @package@ import query, stats
from @package@.store import Store


def start():
    return Store()


def do(store, operation, *arguments):
    if operation == "open":
        return store.open(*arguments)
    if operation == "move":
        return store.move(*arguments)
    if operation == "tag":
        return store.get(arguments[0]).tag(arguments[1])
    if operation == "block":
        return store.block(*arguments)
    if operation == "search":
        return query.search(store, *arguments)
    if operation == "states":
        return stats.by_state(store)
    if operation == "tags":
        return stats.top_tags(store)
    if operation == "restless":
        return stats.restless(store)
    raise ValueError(operation)
"""


@template
def tracker(draw: Draw) -> Repository:
    package = draw.pick("tracker", "tickets", "desk", "issues")
    states = draw.pick(
        ("new", "open", "review", "done"),
        ("todo", "doing", "testing", "closed"),
        ("draft", "active", "waiting", "final"),
    )
    priorities, high = draw.whole(4, 6), draw.chance(0.5)
    knobs = {
        "package": package, "states": list(states), "s0": states[0], "s1": states[1], "s2": states[2], "s3": states[3],
        "priorities": priorities, "default": draw.whole(2, 3), "first": draw.pick(1, 100, 1000), "urgent": "high" if high else "low",
        "sign": "-" if high else "", "most": draw.whole(2, 3),
    }  # fmt: skip
    modules = {"model": _MODEL, "store": _STORE, "query": _QUERY, "stats": _STATS}
    files = {f"{package}/{name}.py": fill(text, knobs) for name, text in modules.items()}
    files[f"{package}/__init__.py"] = '"""Tickets."""\n'
    first = int(str(knobs["first"]))
    tags, words = ["ui", "slow", "api", "docs"], ["crash", "slow list", "typo", "login page", "Export"]

    def script() -> list[list[Any]]:
        count = draw.whole(2, 4)
        made: list[list[Any]] = [["open", draw.pick(*words), draw.whole(1, priorities)] for _ in range(count)]
        for _ in range(draw.whole(3, 9)):
            number = first + draw.whole(0, count - 1)
            made.append(
                draw.pick(
                    ["move", number, states[1]], ["move", number, draw.pick(*states)], ["tag", number, draw.pick(*tags, " UI ", "API")],
                    ["tag", number, draw.pick(*tags)], ["block", number, first + draw.whole(0, count - 1)], ["open", draw.pick(*words)] if draw.chance(0.3) else ["restless"],
                )
            )  # fmt: skip
        parts = [
            f"state:{draw.pick(*states)}",
            f"-state:{states[0]}",
            f"tag:{draw.pick(*tags)}",
            f"-tag:{draw.pick(*tags)}",
            f"priority>{draw.whole(1, 3)}",
            f"priority<{draw.whole(2, 5)}",
            draw.pick("slow", "o", "e"),
        ]
        return [
            *made,
            ["search", " ".join(draw.sample(parts, draw.whole(0, 2)))],
            draw.pick(["states"], ["tags"], ["restless"]),
            ["search", draw.pick(*parts)],
        ]

    return Repository(
        package,
        f"A tracker of tickets. `model` has the tickets and the moves between the states {', '.join(states)}, `store` keeps them and what blocks what, "
        f"`query` finds them, `stats` counts them. A ticket that is {states[3]} gets priority 1.",
        files, fill(_DRIVER, knobs),
        {
            "open": "store.open({0})", "move": "store.move({0})", "tag": "tag({0})  # number, name", "block": "store.block({0})",
            "search": "search(store, {0})", "states": "by_state(store)", "tags": "top_tags(store)", "restless": "restless(store)",
        },
        script, [f"{package}/{name}.py" for name in modules], repr(knobs),
    )  # fmt: skip
