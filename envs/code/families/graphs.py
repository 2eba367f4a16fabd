"""Programs on graphs."""

from __future__ import annotations

from proofgym.envs.code.program import Draw, Sketch, family


def _edges(draw: Draw, nodes: int, most: int, weights: int = 0) -> list[list[int]]:
    made: dict[tuple[int, int], list[int]] = {}
    for _ in range(draw.whole(0, most)):
        a, b = draw.whole(0, nodes - 1), draw.whole(0, nodes - 1)
        if a != b and (a, b) not in made and (b, a) not in made:
            made[a, b] = [a, b, draw.whole(1, weights)] if weights else [a, b]
    return list(made.values())


@family("graphs", 2)
def cheapest_way(draw: Draw) -> Sketch:
    directed, toll = draw.chance(0.5), draw.whole(0, 3)
    what = draw.pick("cost", "path")
    both = "" if directed else "\n            roads = roads + [[b, a, cost] for a, b, cost in roads]"

    def inputs() -> list[object]:
        nodes = draw.whole(2, 6)
        return [nodes, _edges(draw, nodes, 12, 9), draw.whole(0, nodes - 1), draw.whole(0, nodes - 1)]

    return Sketch(
        "cheapest", "nodes: int, roads: list[list[int]], start: int, goal: int", "int" if what == "cost" else "list[int]",
        f"""Places are numbered 0 to nodes - 1. A road [a, b, cost] leads from a to b{"" if directed else " and back"} at that
        cost; there is at most one road between two places. {f"Besides, each road used costs a toll of {toll}. " if toll else ""}Find the
        cheapest way from start to goal. Return {"its cost; 0 if start is the goal, -1 if there is no way" if what == "cost" else
        "its places in order, start and goal included; among equally cheap ways the one whose list of places comes first in lexicographic order. Return an empty list if there is no way"}.""",
        f"""
        def cheapest(nodes, roads, start, goal):{both}
            best = {{start: (0, [start])}}
            for _ in range(nodes):
                for a, b, cost in roads:
                    if a in best:
                        offer = (best[a][0] + cost + {toll}, best[a][1] + [b])
                        if b not in best or offer < best[b]:
                            best[b] = offer
            {"return best[goal][0] if goal in best else -1" if what == "cost" else "return best[goal][1] if goal in best else []"}
        """,
        inputs,
    )  # fmt: skip


@family("graphs", 1)
def circles(draw: Draw) -> Sketch:
    what = draw.pick("sizes", "largest", "alone", "bridge")
    ends = {
        "sizes": (
            "sorted((len(group) for group in groups), reverse=True)",
            "list[int]",
            "the sizes of all circles, the largest first",
        ),
        "largest": (
            "min(groups, key=lambda group: (-len(group), group))",
            "list[int]",
            "the members of the largest circle in ascending order; of several equally large ones, the circle with the smallest member",
        ),
        "alone": (
            "sum(group[0] for group in groups if len(group) <= 2)",
            "int",
            "the sum of the smallest members of all circles with one or two members",
        ),
        "bridge": (
            "[group[-1] for group in groups]",
            "list[int]",
            "the largest member of each circle, circles ordered by their smallest members",
        ),
    }

    def inputs() -> list[object]:
        people = draw.whole(1, 9)
        return [people, _edges(draw, people, 7)]

    return Sketch(
        "circles", "people: int, friends: list[list[int]]", ends[what][1],
        f"""People are numbered 0 to people - 1. Each pair in friends is a friendship, in both directions. Friends of friends,
        of any degree, belong to the same circle; somebody without friends is a circle alone. Return {ends[what][2]}.""",
        f"""
        def circles(people, friends):
            leader = list(range(people))
            for a, b in friends:
                one = leader[a]
                other = leader[b]
                if one != other:
                    for person in range(people):
                        if leader[person] == other:
                            leader[person] = one
            found = {{}}
            for person in range(people):
                found.setdefault(leader[person], []).append(person)
            groups = sorted(found.values())
            return {ends[what][0]}
        """,
        inputs,
    )  # fmt: skip


@family("graphs", 2)
def plan_order(draw: Draw) -> Sketch:
    pick, said = draw.pick(("min", "smallest"), ("max", "largest"))
    what = draw.pick("order", "rounds")

    def inputs() -> list[object]:
        jobs = draw.whole(1, 7)
        edges = _edges(draw, jobs, 9)
        if draw.chance(0.8):  # mostly without a circle
            edges = [[min(e), max(e)] if draw.level < 0.5 else sorted(e, key=lambda n: (n * 3) % 7) for e in edges]
        return [jobs, edges]

    if what == "order":
        return Sketch(
            "plan", "jobs: int, before: list[list[int]]", "list[int]",
            f"""Jobs are numbered 0 to jobs - 1. A pair [a, b] in before says that a must be done before b. Do the jobs one after
            another; whenever several could be next, take the one with the {said} number. Return the order; if not all jobs can
            be done, return the jobs that were done before it went no further.""",
            f"""
            def plan(jobs, before):
                done = []
                while True:
                    ready = []
                    for job in range(jobs):
                        if job not in done and all(a in done for a, b in before if b == job):
                            ready.append(job)
                    if not ready:
                        return done
                    done.append({pick}(ready))
            """,
            inputs,
        )  # fmt: skip
    hands = draw.whole(1, 3)
    return Sketch(
        "plan", "jobs: int, before: list[list[int]]", "int",
        f"""Jobs are numbered 0 to jobs - 1. A pair [a, b] in before says that a must be done in an earlier round than b. In each
        round up to {hands} job{"s are" if hands > 1 else " is"} done: of those that are possible, the ones with the {said} numbers.
        Return how many rounds are needed for all, or -1 if it cannot be done.""",
        f"""
        def plan(jobs, before):
            done = []
            rounds = 0
            while len(done) < jobs:
                ready = []
                for job in range(jobs):
                    if job not in done and all(a in done for a, b in before if b == job):
                        ready.append(job)
                if not ready:
                    return -1
                done.extend(sorted(ready{", reverse=True" if pick == "max" else ""})[:{hands}])
                rounds += 1
            return rounds
        """,
        inputs,
    )  # fmt: skip


@family("graphs", 1)
def flood(draw: Draw) -> Sketch:
    corners = draw.chance(0.5)
    what = draw.pick("steps", "area", "regions")
    steps = "(-1, 0), (1, 0), (0, -1), (0, 1)" + (", (-1, -1), (-1, 1), (1, -1), (1, 1)" if corners else "")
    touching = "a side or a corner" if corners else "a side"

    def inputs() -> list[object]:
        width = draw.whole(1, 6)
        return [[draw.word(width, width, "..#" if draw.chance(0.7) else ".#") for _ in range(draw.whole(1, 5))]]

    if what == "regions":
        spec = f"""Return how many regions of free cells there are. Two free cells belong to the same region if one can go from one
        to the other over free cells that share {touching}."""
        end = """
            regions = 0
            seen = set()
            for cell in sorted(free):
                if cell not in seen:
                    regions += 1
                    seen |= set(spread(cell))
            return regions"""
    elif what == "area":
        spec = f"""Return the size of the largest region of free cells, 0 if there is no free cell. Two free cells belong to the
        same region if one can go from one to the other over free cells that share {touching}."""
        end = "\n            return max((len(spread(cell)) for cell in free), default=0)"
    else:
        spec = f"""Start at the top left cell and go to the bottom right cell, over free cells that share {touching}. Return the least
        number of steps, or -1 if that is impossible (the two cells must be free as well)."""
        end = """
            goal = (len(rows) - 1, len(rows[0]) - 1)
            if (0, 0) not in free:
                return -1
            return spread((0, 0)).get(goal, -1)"""
    return Sketch(
        "flood", "rows: list[str]", "int",
        f"""A map is a list of equally long texts; '.' is a free cell and '#' a wall. {spec}""",
        f"""
        def flood(rows):
            free = {{(i, j) for i, row in enumerate(rows) for j, cell in enumerate(row) if cell == "."}}

            def spread(start):
                distance = {{start: 0}}
                queue = [start]
                for i, j in queue:
                    for di, dj in ({steps}):
                        cell = (i + di, j + dj)
                        if cell in free and cell not in distance:
                            distance[cell] = distance[i, j] + 1
                            queue.append(cell)
                return distance
{end}
        """,
        inputs,
    )  # fmt: skip


@family("graphs", 1)
def jumps(draw: Draw) -> Sketch:
    what = draw.pick("loop", "tail", "end")
    lose = draw.whole(1, 3)
    ends = {
        "loop": (
            "len(trail) - trail.index(at) if at in trail else 0",
            "the number of different cells in the loop that it gets into, 0 if it leaves the board",
        ),
        "tail": (
            "trail.index(at) if at in trail else len(trail)",
            "how many cells it visits before the first cell that it will visit again; if it leaves the board, how many cells it visits in all",
        ),
        "end": (
            "at if at in trail else -1",
            "the first cell that it visits a second time, or -1 if it leaves the board",
        ),
    }
    wrap = draw.chance(0.4)
    move = "(at + board[at]) % len(board)" if wrap else "at + board[at]"
    return Sketch(
        "jumps", "board: list[int], start: int", "int",
        f"""A stone lies on cell start of a row of cells, numbered from 0. On cell i it jumps by board[i] cells (to the right if positive,
        to the left if negative){", and the row is closed to a ring" if wrap else ""}; from a cell other than 0 whose number is divisible by {lose + 4} it jumps to cell 0
        instead. It {"can never leave the ring" if wrap else "leaves the board when it jumps beyond either end"}. It stops when it comes to a
        cell that it visited before{"" if wrap else ", or leaves the board"}. Return {ends[what][1]}.""",
        f"""
        def jumps(board, start):
            trail = []
            at = start
            while 0 <= at < len(board) and at not in trail:
                trail.append(at)
                if at > 0 and at % {lose + 4} == 0:
                    at = 0
                else:
                    at = {move}
            return {ends[what][0]}
        """,
        lambda: (lambda board: [board, draw.whole(0, len(board) - 1)])(draw.ints(1, 12, -4, 5)),
    )  # fmt: skip
