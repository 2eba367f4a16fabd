"""Contest problems with many right answers: each brings a checker that decides, and a reference that gives one answer.

A checker is our own program and runs in a sandbox of its own, on the printed text alone. It reads numbers from hostile
text, so it reads few and short ones.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from proofgym.envs.code.program import Draw, tidy

__all__ = ["PROBLEMS", "Problem"]

_NUMBERS = """
def numbers(text, most=4000):
    words = text.split()
    if len(words) > most or any(len(word) > 12 for word in words):
        raise ValueError("more or longer numbers than an answer has")
    return [int(word) for word in words]
"""


@dataclass(frozen=True, slots=True)
class Problem:
    """A drawn problem: its statement, a reference that defines `solve(text) -> str`, a checker, and a source of inputs."""

    name: str
    hard: int
    spec: str
    source: str
    checker: str
    inputs: Callable[[], str]


PROBLEMS: dict[str, Callable[[Draw], Problem]] = {}


def _problem(hard: int) -> Callable[[Callable[[Draw], tuple[str, str, str, Callable[[], str]]]], None]:
    def enter(make: Callable[[Draw], tuple[str, str, str, Callable[[], str]]]) -> None:
        name = make.__name__

        def problem(draw: Draw) -> Problem:
            spec, source, checker, inputs = make(draw)
            return Problem(name, hard, " ".join(spec.split()), tidy(source), _NUMBERS + "\n" + tidy(checker), inputs)

        PROBLEMS[name] = problem

    return enter


def _row(values: list[int]) -> str:
    return " ".join(map(str, values))


@_problem(0)
def pair_with_sum(draw: Draw) -> tuple[str, str, str, Callable[[], str]]:
    apart = draw.whole(1, 3)
    return (
        f"""The first line holds n and a target, the second n whole numbers. Print the positions i < j (counted from 1) of two
        numbers that sum to the target and whose positions differ by at least {apart}; any such pair is accepted. Print -1 if there is none.""",
        f"""
        def solve(text):
            n, target, *values = map(int, text.split())
            for i in range(n):
                for j in range(i + {apart}, n):
                    if values[i] + values[j] == target:
                        return f"{{i + 1}} {{j + 1}}"
            return "-1"
        """,
        f"""
        def check(input, output, expected):
            n, target, *values = map(int, input.split())
            said = numbers(output)
            if expected.strip() == "-1" or len(said) != 2:
                return said == [-1] and expected.strip() == "-1", "there is a pair" if expected.strip() != "-1" else "there is no pair"
            i, j = said
            if not (1 <= i < j <= n and j - i >= {apart}):
                return False, "no such positions"
            return values[i - 1] + values[j - 1] == target, "another sum"
        """,
        lambda: (lambda values: f"{len(values)} {draw.pick(draw.whole(2, 24), values[0] + values[-1])}\n{_row(values)}\n")(
            draw.ints(2, 9, 1, 15)
        ),
    )  # fmt: skip


@_problem(1)
def some_order(draw: Draw) -> tuple[str, str, str, Callable[[], str]]:
    word = draw.pick("task", "course", "recipe")

    def inputs() -> str:
        n = draw.whole(1, 8)
        order = draw.sample(range(1, n + 1), n)
        edges = []
        for _ in range(draw.whole(0, 10)):
            a, b = draw.whole(0, n - 1), draw.whole(0, n - 1)
            if a != b:
                a, b = (a, b) if draw.chance(0.08) else (min(a, b), max(a, b))
                edges.append(f"{order[a]} {order[b]}")
        return "\n".join([f"{n} {len(edges)}", *edges]) + "\n"

    return (
        f"""The first line holds n and m; each of the next m lines holds a and b, which says that {word} a must come before {word} b.
        Print the {word}s 1 to n, separated by blanks, in any order that keeps to all of this; any such order is accepted. Print
        IMPOSSIBLE if there is none.""",
        """
        def solve(text):
            n, m, *rest = map(int, text.split())
            before = [[] for _ in range(n + 1)]
            for k in range(m):
                before[rest[2 * k + 1]].append(rest[2 * k])
            done = []
            while len(done) < n:
                ready = [b for b in range(1, n + 1) if b not in done and all(a in done for a in before[b])]
                if not ready:
                    return "IMPOSSIBLE"
                done.append(ready[0])
            return " ".join(map(str, done))
        """,
        """
        def check(input, output, expected):
            n, m, *rest = map(int, input.split())
            if "IMPOSSIBLE" in (output.strip(), expected.strip()):
                return output.strip() == expected.strip(), "whether it is possible"
            said = numbers(output)
            if sorted(said) != list(range(1, n + 1)):
                return False, "not every number once"
            place = {number: at for at, number in enumerate(said)}
            return all(place[rest[2 * k]] < place[rest[2 * k + 1]] for k in range(m)), "a pair is the wrong way round"
        """,
        inputs,
    )  # fmt: skip


@_problem(1)
def shortest_route(draw: Draw) -> tuple[str, str, str, Callable[[], str]]:
    one_way = draw.chance(0.5)

    def inputs() -> str:
        n = draw.whole(2, 8)
        edges = [
            f"{a} {b}" for a, b in ((draw.whole(1, n), draw.whole(1, n)) for _ in range(draw.whole(1, 13))) if a != b
        ]
        return "\n".join([f"{n} {len(edges)} {draw.whole(1, n)} {draw.whole(1, n)}", *edges]) + "\n"

    both = "" if one_way else "ways[b].append(a)"
    return (
        f"""The first line holds n, m, s and t; each of the next m lines holds a and b, a road from stop a to stop b{" in this direction only" if one_way else
        " that can be used in both directions"}. Stops are numbered 1 to n. Print the stops of a route from s to t with as few stops as
        possible, both ends included, separated by blanks (only s if s is t); any such route is accepted. Print -1 if there is none.""",
        f"""
        def solve(text):
            n, m, s, t, *rest = map(int, text.split())
            ways = [[] for _ in range(n + 1)]
            for k in range(m):
                a, b = rest[2 * k:2 * k + 2]
                ways[a].append(b)
                {both or "pass"}
            came = {{s: 0}}
            queue = [s]
            for a in queue:
                for b in ways[a]:
                    if b not in came:
                        came[b] = a
                        queue.append(b)
            if t not in came:
                return "-1"
            route = []
            while t:
                route.append(t)
                t = came[t]
            return " ".join(map(str, route[::-1]))
        """,
        f"""
        def check(input, output, expected):
            n, m, s, t, *rest = map(int, input.split())
            said, wanted = numbers(output), numbers(expected)
            if wanted == [-1] or said == [-1]:
                return said == wanted, "whether there is a route"
            roads = {{(rest[2 * k], rest[2 * k + 1]) for k in range(m)}}
            if not {one_way}:
                roads |= {{(b, a) for a, b in roads}}
            if not said or said[0] != s or said[-1] != t:
                return False, "it does not lead from s to t"
            if any(pair not in roads for pair in zip(said, said[1:])):
                return False, "it uses a road that is not there"
            return len(said) == len(wanted), "there is a shorter one"
        """,
        inputs,
    )  # fmt: skip


@_problem(2)
def even_split(draw: Draw) -> tuple[str, str, str, Callable[[], str]]:
    return (
        """The first line holds n, the second the weights of n parcels. Load each parcel onto truck 1 or truck 2, such that the
        weights on the two trucks differ by as little as possible. Print n numbers, each 1 or 2, separated by blanks: the truck of each parcel. Any
        best split is accepted.""",
        """
        def solve(text):
            n, *weights = map(int, text.split())
            reach = {0: []}
            for at, weight in enumerate(weights):
                for total in sorted(reach, reverse=True):
                    if total + weight not in reach:
                        reach[total + weight] = reach[total] + [at]
            best = min(reach, key=lambda total: (abs(sum(weights) - 2 * total), total))
            return " ".join("1" if at in reach[best] else "2" for at in range(n))
        """,
        """
        def check(input, output, expected):
            n, *weights = map(int, input.split())

            def gap(trucks):
                return abs(sum(w if truck == 1 else -w for w, truck in zip(weights, trucks)))

            said = numbers(output)
            if len(said) != n or not set(said) <= {1, 2}:
                return False, "not a truck for each parcel"
            return gap(said) == gap(numbers(expected)), "there is a better split"
        """,
        lambda: (lambda values: f"{len(values)}\n{_row(values)}\n")(draw.ints(2, 9, 1, 20)),
    )  # fmt: skip


@_problem(1)
def two_teams(draw: Draw) -> tuple[str, str, str, Callable[[], str]]:
    def inputs() -> str:
        n = draw.whole(1, 8)
        side = [draw.whole(0, 1) for _ in range(n)]
        pairs = []
        for _ in range(draw.whole(0, 9)):
            a, b = draw.whole(0, n - 1), draw.whole(0, n - 1)
            if a != b and (side[a] != side[b] or draw.chance(0.1)):
                pairs.append(f"{a + 1} {b + 1}")
        return "\n".join([f"{n} {len(pairs)}", *pairs]) + "\n"

    names = draw.pick("A B", "X Y", "L R")
    one, two = names.split()
    return (
        f"""The first line holds n and m; each of the next m lines holds two different players, out of 1 to n, who refuse to play in the same team.
        Print a text of n letters, {one} or {two}: the team of each player in turn, such that nobody plays in a team with somebody they refuse. A team may be
        empty; any right division is accepted. Print NO if there is none.""",
        f"""
        def solve(text):
            n, m, *rest = map(int, text.split())
            team = [None] * (n + 1)
            for first in range(1, n + 1):
                if team[first] is None:
                    team[first] = {one!r}
                    queue = [first]
                    for a in queue:
                        for k in range(m):
                            for b, c in ((rest[2 * k], rest[2 * k + 1]), (rest[2 * k + 1], rest[2 * k])):
                                if b == a and team[c] is None:
                                    team[c] = {two!r} if team[a] == {one!r} else {one!r}
                                    queue.append(c)
                                elif b == a and team[c] == team[a]:
                                    return "NO"
            return "".join(team[1:])
        """,
        f"""
        def check(input, output, expected):
            n, m, *rest = map(int, input.split())
            said = output.strip()
            if "NO" in (said, expected.strip()):
                return said == expected.strip(), "whether it can be done"
            if len(said) != n or not set(said) <= set({one + two!r}):
                return False, "not a team for each player"
            return all(said[rest[2 * k] - 1] != said[rest[2 * k + 1] - 1] for k in range(m)), "two who refuse are together"
        """,
        inputs,
    )  # fmt: skip


@_problem(1)
def most_talks(draw: Draw) -> tuple[str, str, str, Callable[[], str]]:
    pause = draw.whole(0, 2)

    def inputs() -> str:
        talks = [(start, start + draw.whole(1, 6)) for start in draw.ints(1, 8, 0, 18)]
        return "\n".join([str(len(talks)), *(f"{a} {b}" for a, b in talks)]) + "\n"

    return (
        f"""The first line holds n, each of the next n lines the start and the end of a talk. Choose as many talks as possible, such that of any
        two chosen ones, one starts at least {pause} after the other ends. Print how many there are, and on a second line the numbers (1 to n, in any order) of
        the chosen talks. Any best choice is accepted.""",
        f"""
        def solve(text):
            n, *rest = map(int, text.split())
            talks = sorted(range(n), key=lambda k: rest[2 * k + 1])
            chosen = []
            free = -100
            for k in talks:
                if rest[2 * k] >= free:
                    chosen.append(k + 1)
                    free = rest[2 * k + 1] + {pause}
            return f"{{len(chosen)}}\\n" + " ".join(map(str, chosen))
        """,
        f"""
        def check(input, output, expected):
            n, *rest = map(int, input.split())
            said = numbers(output)
            best = numbers(expected)[0]
            if not said or said[0] != best or len(said) != best + 1:
                return False, "another number of talks"
            chosen = said[1:]
            if len(set(chosen)) != best or not all(1 <= k <= n for k in chosen):
                return False, "no such talks"
            spans = sorted((rest[2 * k - 2], rest[2 * k - 1]) for k in chosen)
            return all(b[0] >= a[1] + {pause} for a, b in zip(spans, spans[1:])), "two of them collide"
        """,
        inputs,
    )  # fmt: skip


@_problem(0)
def as_squares(draw: Draw) -> tuple[str, str, str, Callable[[], str]]:
    kind, said, form = draw.pick(
        ("squares", "square numbers (1, 4, 9, ...)", "k * k"),
        ("triangles", "triangular numbers (1, 3, 6, 10, ...)", "k * (k + 1) // 2"),
    )
    return (
        f"""The input is a whole number n of 1 or more. Write n as a sum of as few {said} as possible; the same number may be used more than once.
        Print the numbers of the sum, separated by blanks, in any order; any shortest sum is accepted.""",
        f"""
        def solve(text):
            n = int(text)
            parts = [{form} for k in range(1, n + 1) if {form} <= n]
            best = [[]]
            for total in range(1, n + 1):
                best.append(min((best[total - part] + [part] for part in parts if part <= total), key=len))
            return " ".join(map(str, best[n]))
        """,
        f"""
        def check(input, output, expected):
            n = int(input)
            allowed = {{{form} for k in range(1, n + 1)}}
            said = numbers(output)
            if sum(said) != n or not set(said) <= allowed:
                return False, "not a sum of {kind} that comes to n"
            return len(said) == len(numbers(expected)), "there is a shorter sum"
        """,
        lambda: f"{draw.whole(1, 150)}\n",
    )  # fmt: skip


@_problem(0)
def measurements(draw: Draw) -> tuple[str, str, str, Callable[[], str]]:
    _, said, formula = draw.pick(
        (
            "spread",
            "standard deviation (the square root of the mean squared distance from the mean)",
            "(sum((v - mean) ** 2 for v in values) / n) ** 0.5",
        ),
        (
            "quadratic",
            "quadratic mean (the square root of the mean of the squares)",
            "(sum(v * v for v in values) / n) ** 0.5",
        ),
        ("drift", "mean absolute distance from the mean", "sum(abs(v - mean) for v in values) / n"),
    )
    return (
        f"""The first line holds n, the second n whole numbers. Print their {said}. An answer is accepted if it is off by at most one millionth, absolutely
        or relatively.""",
        f"""
        def solve(text):
            n, *values = map(int, text.split())
            mean = sum(values) / n
            return repr({formula} + 0 * mean)
        """,
        """
        def check(input, output, expected):
            words = output.split()
            if len(words) != 1 or len(words[0]) > 40:
                return False, "not one number"
            said, wanted = float(words[0]), float(expected)
            return abs(said - wanted) <= 1e-6 * max(1.0, abs(wanted)), "too far off"
        """,
        lambda: (lambda values: f"{len(values)}\n{_row(values)}\n")(draw.ints(1, 9, -20, 60)),
    )  # fmt: skip
