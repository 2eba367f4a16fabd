"""Programs on intervals."""

from __future__ import annotations

from proofgym.envs.code.program import Draw, Sketch, family


def _spans(draw: Draw, most: int, end: int = 20) -> list[list[int]]:
    made = []
    for _ in range(draw.whole(0, most)):
        start = draw.whole(0, end)
        made.append([start, start + draw.whole(0, 7)])
    return made


@family("intervals", 1)
def merge_spans(draw: Draw) -> Sketch:
    gap, what = draw.whole(0, 3), draw.pick("spans", "longest", "count")
    ends = {
        "spans": ("merged", "list[list[int]]", "the resulting spans by ascending start"),
        "longest": (
            "max((stop - start for start, stop in merged), default=0)",
            "int",
            "the length (stop - start) of the longest resulting span, 0 if there is none",
        ),
        "count": ("[len(spans), len(merged)]", "list[int]", "[number of spans given, number of resulting spans]"),
    }
    empty = draw.chance(0.5)
    return Sketch(
        "merge", "spans: list[list[int]]", ends[what][1],
        f"""Spans are [start, stop] with start <= stop, in any order. {"First leave out spans of length 0. " if empty else ""}Join spans until none can be joined: two spans are joined into
        one, from the smaller start to the larger stop, if they overlap, touch, or lie at most {gap} apart (the distance from the
        stop of one to the start of the next). Return {ends[what][2]}.""",
        f"""
        def merge(spans):
            merged = []
            for start, stop in sorted(spans):
                if {empty} and start == stop:
                    continue
                if merged and start - merged[-1][1] <= {gap}:
                    merged[-1][1] = max(merged[-1][1], stop)
                else:
                    merged.append([start, stop])
            return {ends[what][0]}
        """,
        lambda: [_spans(draw, 7)],
    )  # fmt: skip


@family("intervals", 1)
def free_time(draw: Draw) -> Sketch:
    least, break_ = draw.whole(1, 4), draw.whole(0, 2)
    what = draw.pick("slots", "total", "first")
    ends = {
        "slots": ("slots", "list[list[int]]", "all free slots by ascending start"),
        "total": ("sum(stop - start for start, stop in slots)", "int", "the total length of all free slots"),
        "first": ("slots[0] if slots else []", "list[int]", "the earliest free slot, an empty list if there is none"),
    }
    return Sketch(
        "free", "busy: list[list[int]], opens: int, closes: int", ends[what][1],
        f"""Somebody is busy during each [start, stop] (start <= stop, in any order, possibly overlapping){f", and for {break_} more after each stop" if break_ else ""}.
        A free slot is a longest possible [start, stop] inside [opens, closes] during which nothing is going on, and it
        counts only if it is at least {least} long. Return {ends[what][2]}. opens is at most closes.""",
        f"""
        def free(busy, opens, closes):
            slots = []
            at = opens
            for start, stop in sorted(busy):
                if min(start, closes) - at >= {least}:
                    slots.append([at, min(start, closes)])
                at = max(at, stop + {break_})
            if closes - at >= {least}:
                slots.append([at, closes])
            return {ends[what][0]}
        """,
        lambda: [_spans(draw, 5), draw.whole(0, 6), draw.whole(8, 26)],
    )  # fmt: skip


@family("intervals", 0)
def crowd(draw: Draw) -> Sketch:
    closed, what = draw.chance(0.5), draw.pick("most", "when", "alone")
    upto = "<=" if closed else "<"
    ends = {
        "most": (
            "max(counts, default=0)",
            "the largest number of guests that were there at the same time; 0 if there were none",
        ),
        "when": (
            "counts.index(max(counts)) if counts and max(counts) > 0 else -1",
            "the earliest hour with the largest number of guests, -1 if nobody was there in any hour",
        ),
        "alone": ("counts.count(1)", "in how many hours exactly one guest was there"),
    }
    return Sketch(
        "crowd", "visits: list[list[int]]", "int",
        f"""Each visit is [arrival, departure] in whole hours from 0 to 27, arrival <= departure. A guest is there in every hour h with
        arrival <= h {upto} departure. Return {ends[what][1]}.""",
        f"""
        def crowd(visits):
            counts = []
            for hour in range(28):
                counts.append(sum(1 for start, stop in visits if start <= hour and hour {upto} stop))
            return {ends[what][0]}
        """,
        lambda: [_spans(draw, 7)],
    )  # fmt: skip


@family("intervals", 2)
def book_rooms(draw: Draw) -> Sketch:
    rooms, pause = draw.whole(1, 3), draw.whole(0, 2)
    prefer = draw.pick("lowest", "latest")
    key = "room" if prefer == "lowest" else "(-free[room], room)"
    said = (
        "the lowest number"
        if prefer == "lowest"
        else "the one that became free last, and of several such the one with the lowest number"
    )
    what = draw.pick("rooms", "refused")
    return Sketch(
        "book", "requests: list[list[int]]", "list[int]" if what == "rooms" else "int",
        f"""A house has {rooms} room{"s, numbered from 0" if rooms > 1 else ", number 0"}. Requests [start, length] are taken by ascending start, those with
        equal starts in the order of the list. A request gets a room that is free at its start: one never used, or one whose last
        meeting ended at least {pause} before (a room never used counts as free since time -{10 + pause}). Of several free rooms it gets {said}. A
        request without a free room is refused. Return {"for each request, in the order of the list, the room's number or -1" if what == "rooms" else "how many requests are refused"}.""",
        f"""
        def book(requests):
            free = [-10] * {rooms}
            given = [-1] * len(requests)
            for place in sorted(range(len(requests)), key=lambda place: requests[place][0]):
                start, length = requests[place]
                ready = [room for room in range({rooms}) if free[room] <= start]
                if ready:
                    room = min(ready, key=lambda room: {key})
                    free[room] = start + length + {pause}
                    given[place] = room
            return {"given" if what == "rooms" else "given.count(-1)"}
        """,
        lambda: [[[draw.whole(0, 14), draw.whole(1, 6)] for _ in range(draw.whole(0, 8))]],
    )  # fmt: skip
