"""Classes, tested by sequences of method calls."""

from __future__ import annotations

from typing import Any

from proofgym.envs.code.program import Draw, Sketch, family


def _calls(draw: Draw, most: int, options: list[Any]) -> list[list[Any]]:
    return [
        [name, [make() for make in makers]]
        for name, *makers in (draw.pick(*options) for _ in range(draw.whole(3, most)))
    ]


@family("classes", 2)
def cache(draw: Draw) -> Sketch:
    policy = draw.pick("used", "added", "least")
    said = {
        "used": "the key whose last put or successful get lies furthest back",
        "added": "the key that was added first (a put of a key that is already there does not change its place)",
        "least": "the key with the fewest successful gets since it was added, and of several such keys the one that was added first",
    }[policy]
    rank = {"used": "self.used[key]", "added": "self.added[key]", "least": "(self.hits[key], self.added[key])"}[policy]
    missing = draw.pick(-1, 0)
    return Sketch(
        "Cache", "room: int", "",
        f"""A class with a constructor Cache(room) (room is at least 1) and the methods: put(key: str, value: int), which stores a value,
        replaces the one that the key had, and returns the key that had to go, or '' if none had to: if the key is new and room keys are
        already there, {said} goes first; get(key: str), which returns the key's value, or {missing} if it is not there; size(), which
        returns the number of keys.""",
        f"""
        class Cache:
            def __init__(self, room):
                self.room = room
                self.values = {{}}
                self.used = {{}}
                self.added = {{}}
                self.hits = {{}}
                self.clock = 0

            def put(self, key, value):
                self.clock += 1
                gone = ""
                if key not in self.values:
                    if len(self.values) >= self.room:
                        gone = min(self.values, key=lambda key: {rank})
                        del self.values[gone]
                    self.added[key] = self.clock
                    self.hits[key] = 0
                self.values[key] = value
                self.used[key] = self.clock
                return gone

            def get(self, key):
                self.clock += 1
                if key not in self.values:
                    return {missing}
                self.used[key] = self.clock
                self.hits[key] += 1
                return self.values[key]

            def size(self):
                return len(self.values)
        """,
        lambda: [[draw.whole(1, 3)], _calls(draw, 12, [("put", lambda: draw.word(1, 1, "abcd"), lambda: draw.whole(1, 9))] * 3 + [("get", lambda: draw.word(1, 1, "abcd"))] * 3 + [("size",)])],
        "class",
    )  # fmt: skip


@family("classes", 1)
def account(draw: Draw) -> Sketch:
    limit, fee = draw.pick(0, 20, 50), draw.whole(0, 3)
    undo = draw.chance(0.5)
    undos = (
        """

            def undo(self):
                if self.history:
                    self.balance = self.history.pop()
                return self.balance"""
        if undo
        else ""
    )
    feed = f"; an accepted withdrawal also costs a fee of {fee}, which counts towards that limit" if fee else ""
    return Sketch(
        "Account", "start: int", "",
        f"""A class with a constructor Account(start), where start is the first balance, and the methods: deposit(amount), which adds an amount
        above 0 and returns the new balance; amounts of 0 or less change nothing; withdraw(amount), which takes an amount above 0 if the balance
        would not fall below {-limit} and returns True, and otherwise changes nothing and returns False{feed}; best(), which returns the largest balance that there ever was, the first one included.
        {"undo() takes back the last deposit or withdrawal that changed the balance and is not yet taken back, if there is one, and returns the new balance; best() does not forget." if undo else ""}""",
        f"""
        class Account:
            def __init__(self, start):
                self.balance = start
                self.top = start
                self.history = []

            def deposit(self, amount):
                if amount > 0:
                    self.history.append(self.balance)
                    self.balance += amount
                    self.top = max(self.top, self.balance)
                return self.balance

            def withdraw(self, amount):
                if amount <= 0 or self.balance - amount - {fee} < -{limit}:
                    return False
                self.history.append(self.balance)
                self.balance -= amount + {fee}
                return True

            def best(self):
                return self.top{undos}
        """,
        lambda: [[draw.whole(0, 40)], _calls(draw, 9, [("deposit", lambda: draw.whole(-2, 30)), ("withdraw", lambda: draw.whole(-1, 60)), ("withdraw", lambda: draw.whole(1, 40)), ("best",), *([("undo",)] if undo else [])])],
        "class",
    )  # fmt: skip


@family("classes", 1)
def queue(draw: Draw) -> Sketch:
    room, full = draw.whole(2, 4), draw.pick("refuse", "drop")
    urgent = draw.chance(0.5)
    said = {
        "refuse": "the new one is refused and False is returned",
        "drop": "the one at the back is thrown away to make room",
    }[full]
    act = {"refuse": "return False", "drop": "self.items.pop()"}[full]
    hurry = (
        """

            def rush(self, name):
                if name in self.items:
                    self.items.remove(name)
                    self.items.insert(0, name)
                return self.items.index(name) if name in self.items else -1"""
        if urgent
        else ""
    )
    twice = draw.chance(0.5)
    again = "\n                if name in self.items:\n                    return False" if twice or urgent else ""
    return Sketch(
        "Queue", "", "",
        f"""A class with a constructor Queue() without arguments and the methods: join(name: str), which puts a name at the back and
        returns True{"; a name that is already waiting is not put there a second time, and False is returned" if again else ""}; if {room} names are waiting, {said}; serve(), which
        takes the name at the front and returns it, or '' if nobody waits; waiting(), which returns the list of waiting names from the front
        to the back. {"rush(name) moves a waiting name to the front and returns 0, or returns -1 if it is not waiting." if urgent else ""}""",
        f"""
        class Queue:
            def __init__(self):
                self.items = []

            def join(self, name):{again}
                if len(self.items) >= {room}:
                    {act}
                self.items.append(name)
                return True

            def serve(self):
                return self.items.pop(0) if self.items else ""

            def waiting(self):
                return list(self.items){hurry}
        """,
        lambda: [[], _calls(draw, 11, [("join", lambda: draw.word(1, 1, "abcdef"))] * 3 + [("serve",), ("waiting",), *([("rush", lambda: draw.word(1, 1, "abc"))] if urgent else [])])],
        "class",
    )  # fmt: skip
