"""An agenda: days, repeating events, clashes, and free hours."""

from __future__ import annotations

from typing import Any

from proofgym.envs.code.program import Draw
from proofgym.envs.code.templates.repository import Repository, fill, template

_DAYS = '''
"""Days of the year @year@, counted from 1; day 1 is a @first@."""

NAMES = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
MONTHS = [31, @february@, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]


class NoDay(ValueError):
    """A date that the year does not have."""


def number(month, day):
    """The number of a date.

    For example, number(2, 1) is 32.
    """
    if not 1 <= month <= 12 or not 1 <= day <= MONTHS[month - 1]:
        raise NoDay(f"{month}/{day}")
    return sum(MONTHS[:month - 1]) + day


def date(count):
    """The [month, day] of a number."""
    for month, length in enumerate(MONTHS, start=1):
        if count <= length:
            return [month, count]
        count -= length
    raise NoDay(count)


def weekday(count):
    return NAMES[(count - 1 + @shift@) % 7]


def working(count):
    return weekday(count) not in @off@
'''
_EVENTS = '''
"""Events and the days on which they happen."""

from @package@.days import number, working


class Event:
    def __init__(self, title, month, day, hour, length, repeat="", times=1):
        if not 0 <= hour < 24 or length < 1 or hour + length > 24:
            raise ValueError("an event lies within one day")
        self.title = title
        self.day = number(month, day)
        self.hour = hour
        self.length = length
        self.repeat = repeat
        self.times = times if repeat else 1

    def days(self):
        """The numbers of the days on which it happens, at most `times` of them, within the year."""
        step = {"": 1, "daily": 1, "weekly": 7, "fortnightly": 14, "working": 1}[self.repeat]
        found = []
        day = self.day
        while len(found) < self.times and day <= @length@:
            if self.repeat != "working" or working(day):
                found.append(day)
            day += step
        return found

    def end(self):
        return self.hour + self.length
'''
_AGENDA = '''
"""One person's events."""

from @package@.days import date
from @package@.events import Event


class Clash(Exception):
    """Two events at the same time."""


def overlap(one, other):
    return one.hour < other.end() and other.hour < one.end()


class Agenda:
    def __init__(self):
        self.events = []

    def add(self, *details):
        event = Event(*details)
        days = set(event.days())
        for other in self.events:
            if overlap(event, other) and days & set(other.days()):
                raise Clash(other.title)
        self.events.append(event)
        return len(event.days())

    def on(self, day):
        """[hour, title] of everything on a day, by hour."""
        found = [[event.hour, event.title] for event in self.events if day in event.days()]
        return sorted(found)

    def next(self, title, after):
        """The [month, day] of the first day after a day on which a title happens, or None."""
        days = [day for event in self.events if event.title == title for day in event.days() if day > after]
        return date(min(days)) if days else None

    def cancel(self, title):
        before = len(self.events)
        self.events = [event for event in self.events if event.title != title]
        return before - len(self.events)
'''
_PLAN = '''
"""Looking for time."""

from @package@.days import date, working

OPENS = @opens@
CLOSES = @closes@


def gaps(agenda, day):
    """The [start, stop] of the free hours between OPENS and CLOSES of a day."""
    found = []
    at = OPENS
    for event in sorted((e for e in agenda.events if day in e.days()), key=lambda e: e.hour):
        if min(event.hour, CLOSES) > at:
            found.append([at, min(event.hour, CLOSES)])
        at = max(at, event.end())
    if at < CLOSES:
        found.append([at, CLOSES])
    return found


def find(agenda, start, length, horizon=@horizon@):
    """The first [month, day, hour] from a day on at which `length` hours are free on a working day, or None."""
    for day in range(start, start + horizon):
        if not working(day):
            continue
        for begin, stop in gaps(agenda, day):
            if stop - begin >= length:
                return [*date(day), begin]
    return None


def load(agenda, start, days):
    """The busy hours within OPENS and CLOSES, day by day."""
    free = [sum(stop - begin for begin, stop in gaps(agenda, day)) for day in range(start, start + days)]
    return [CLOSES - OPENS - hours for hours in free]
'''
_DRIVER = """
from @package@ import days, plan
from @package@.agenda import Agenda


def start():
    return Agenda()


def do(agenda, operation, *arguments):
    if operation in ("add", "on", "next", "cancel"):
        return getattr(agenda, operation)(*arguments)
    if operation in ("gaps", "find", "load"):
        return getattr(plan, operation)(agenda, *arguments)
    return getattr(days, {"number": "number", "date": "date", "weekday": "weekday"}[operation])(*arguments)
"""


@template
def agenda(draw: Draw) -> Repository:
    package = draw.pick("agenda", "planner", "diary", "rota")
    shift, leap = draw.whole(0, 6), draw.chance(0.5)
    names = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
    opens = draw.whole(7, 9)
    knobs = {
        "package": package, "year": draw.pick(2024, 2028) if leap else draw.pick(2025, 2026), "february": 29 if leap else 28,
        "length": 366 if leap else 365, "shift": shift, "first": names[shift], "off": draw.pick(["Sat", "Sun"], ["Sun"], ["Fri", "Sat"]),
        "opens": opens, "closes": draw.whole(opens + 7, 19), "horizon": draw.whole(3, 6),
    }  # fmt: skip
    modules = {"days": _DAYS, "events": _EVENTS, "agenda": _AGENDA, "plan": _PLAN}
    files = {f"{package}/{name}.py": fill(text, knobs) for name, text in modules.items()}
    files[f"{package}/__init__.py"] = '"""An agenda."""\n'
    titles = ["gym", "call", "shift", "class"]

    def script() -> list[list[Any]]:
        month, day = draw.pick((1, 20), (2, 25), (6, 28), (12, 22))
        base = sum((31, int(str(knobs["february"])), 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)[: month - 1]) + day
        made: list[list[Any]] = []
        for _ in range(draw.whole(2, 4)):
            start = [draw.pick(*titles), month, day + draw.whole(0, 2), draw.whole(6, 18), draw.whole(1, 4)]
            made.append(
                [
                    "add",
                    *start,
                    *draw.pick(
                        [],
                        ["weekly", draw.whole(2, 4)],
                        ["daily", draw.whole(2, 5)],
                        ["working", draw.whole(2, 5)],
                        ["fortnightly", 2],
                    ),
                ]
            )
        for _ in range(draw.whole(2, 4)):
            at = base + draw.whole(0, 9)
            made.append(
                draw.pick(
                    ["on", at], ["next", draw.pick(*titles), at], ["gaps", at], ["find", at, draw.whole(2, 8)], ["load", at, draw.whole(2, 4)],
                    ["weekday", at], ["date", at], ["number", draw.whole(1, 12), draw.whole(28, 31)], ["cancel", draw.pick(*titles)],
                )
            )  # fmt: skip
        return made

    return Repository(
        package,
        f"An agenda for the year {knobs['year']}. `days` counts days, `events` knows on which days something happens, `agenda` keeps events that do not clash, and `plan` "
        f"looks for free time. {' and '.join(knobs['off'] if isinstance(knobs['off'], list) else [])} are free of work. An event ends before the hour hour + length, so one may begin when another ends.",
        files, fill(_DRIVER, knobs),
        {
            "add": "agenda.add({0})", "on": "agenda.on({0})", "next": "agenda.next({0})", "cancel": "agenda.cancel({0})", "gaps": "gaps(agenda, {0})",
            "find": "find(agenda, {0})", "load": "load(agenda, {0})", "number": "number({0})", "date": "date({0})", "weekday": "weekday({0})",
        },
        script, [f"{package}/{name}.py" for name in modules], repr(knobs),
    )  # fmt: skip
