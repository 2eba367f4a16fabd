"""Work on tables, drawn step by step: each step knows the columns it finds and those it leaves."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from proofgym.envs.code.program import Draw, tidy

__all__ = ["THEMES", "Work", "draw_work"]


@dataclass(frozen=True, slots=True)
class Theme:
    """What two tables are about: a table of events, and one that their `key` looks things up in."""

    events: str
    things: str
    key: str
    amount: str
    kinds: tuple[str, ...]
    place: str
    places: tuple[str, ...]


THEMES = (
    Theme("orders", "customers", "customer", "pieces", ("book", "pen", "lamp"), "city", ("Oslo", "Bonn", "Graz")),
    Theme("visits", "patients", "patient", "minutes", ("check", "x-ray", "advice"), "ward", ("north", "south", "east")),
    Theme("loans", "readers", "reader", "days", ("novel", "atlas", "comic"), "branch", ("Mitte", "Hafen", "Park")),
    Theme("trips", "vans", "van", "km", ("mail", "food", "tools"), "depot", ("A1", "B2", "C3")),
)


@dataclass(slots=True)
class Work:
    """A drawn piece of work: the steps in English, the reference, and the tables to try it on."""

    theme: Theme
    sentences: list[str] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    columns: dict[str, str] = field(default_factory=dict)
    ordered: bool = False

    @property
    def spec(self) -> str:
        """The whole task in English."""
        steps = "; ".join(f"({n}) {sentence}" for n, sentence in enumerate(self.sentences, start=1))
        theme = self.theme
        order = "in the order described" if self.ordered else "in any order"
        return (
            f"tables['{theme.events}'] is a list of rows with the columns id, {theme.key}, kind, {theme.amount} and date; "
            f"tables['{theme.things}'] is a list of rows with the columns {theme.key} and {theme.place}, in which no "
            f"{theme.key} comes twice. A row is a dictionary from column to value. {theme.amount} is a whole number or "
            f"None, date is a text such as '2025-03-09', and kind is a text that was typed by hand: the same kind may be "
            f"written in upper or lower case and with blanks around it. Begin with the rows of '{theme.events}' and do "
            f"this: {steps}. Return the rows that are left, as a list of dictionaries with exactly the columns "
            f"{', '.join(self.columns)}, {order}."
        )

    @property
    def source(self) -> str:
        """The reference: `wrangle(tables)`."""
        body = "\n".join(f"    {line}" for text in self.lines for line in tidy(text).rstrip().split("\n"))
        head = f'def wrangle(tables):\n    rows = [dict(row) for row in tables["{self.theme.events}"]]\n'
        return f"{head}{body}\n    return [{{name: row[name] for name in {list(self.columns)!r}}} for row in rows]\n"

    def add(self, sentence: str, code: str) -> None:
        """One step more."""
        self.sentences.append(sentence)
        self.lines.append(code)


def _numbers(work: Work) -> list[str]:
    return [name for name, kind in work.columns.items() if kind == "int"]


def _texts(work: Work) -> list[str]:
    return [name for name, kind in work.columns.items() if kind == "text"]


def _clean(draw: Draw, work: Work) -> None:
    amount = work.theme.amount
    fill = draw.pick(None, 0, 1)
    if fill is None:
        work.add(
            f"leave out the rows whose {amount} is None", f'rows = [row for row in rows if row["{amount}"] is not None]'
        )
    else:
        work.add(
            f"where {amount} is None, put {fill}",
            f'for row in rows:\n    if row["{amount}"] is None:\n        row["{amount}"] = {fill}',
        )
    work.add(
        "take the blanks around kind away and write it in lower case",
        'for row in rows:\n    row["kind"] = row["kind"].strip().lower()',
    )
    if draw.chance(0.5):
        work.add(
            "of rows that are now equal in everything but the id, keep only the first",
            """
            seen = []
            kept = []
            for row in rows:
                rest = {name: row[name] for name in row if name != "id"}
                if rest not in seen:
                    seen.append(rest)
                    kept.append(row)
            rows = kept
            """,
        )


def _filter(draw: Draw, work: Work) -> None:
    theme, options = work.theme, []
    least, month = draw.whole(2, 9), draw.whole(2, 5)
    if theme.amount in work.columns:
        options.append((f"keep the rows whose {theme.amount} is at least {least}", f'row["{theme.amount}"] >= {least}'))
        options.append(
            (
                f"leave out the rows whose {theme.amount} is divisible by {least}",
                f'row["{theme.amount}"] % {least} != 0',
            )
        )
    if "date" in work.columns:
        options.append(
            (
                f"keep the rows whose date lies before the first day of month {month} of 2025",
                f'row["date"] < "2025-{month:02d}-01"',
            )
        )
        options.append(
            (f"keep the rows whose date lies in an {draw.pick('even', 'even')} month", 'int(row["date"][5:7]) % 2 == 0')
        )
    if "kind" in work.columns:
        two = sorted(draw.sample(theme.kinds, 2))
        options.append((f"keep the rows whose kind is {two[0]} or {two[1]}", f'row["kind"] in {two!r}'))
    if options:
        sentence, test = options[draw.whole(0, len(options) - 1)]
        work.add(sentence, f"rows = [row for row in rows if {test}]")


def _join(draw: Draw, work: Work) -> None:
    theme = work.theme
    if theme.key not in work.columns or theme.place in work.columns:
        return
    kind = draw.pick("inner", "left", "left", "anti")
    table = f'{{thing["{theme.key}"]: thing["{theme.place}"] for thing in tables["{theme.things}"]}}'
    if kind == "anti":
        work.add(
            f"keep only the rows whose {theme.key} is not in '{theme.things}'",
            f'known = {table}\nrows = [row for row in rows if row["{theme.key}"] not in known]',
        )
        return
    work.columns[theme.place] = "text"
    if kind == "inner":
        work.add(
            f"add the {theme.place} of the row's {theme.key} from '{theme.things}', and leave out rows whose {theme.key} is not there",
            f'known = {table}\nrows = [dict(row, {theme.place}=known[row["{theme.key}"]]) for row in rows if row["{theme.key}"] in known]',
        )
    else:
        work.add(
            f"add the {theme.place} of the row's {theme.key} from '{theme.things}', or 'unknown' where the {theme.key} is not there",
            f'known = {table}\nrows = [dict(row, {theme.place}=known.get(row["{theme.key}"], "unknown")) for row in rows]',
        )


def _derive(draw: Draw, work: Work) -> None:
    theme, options = work.theme, []
    k = draw.whole(3, 9)
    if theme.amount in work.columns and "size" not in work.columns:
        options.append(
            (
                f"add the column size: 'small' if {theme.amount} is below {k}, 'large' if it is above {2 * k}, else 'middle'",
                f'for row in rows:\n    row["size"] = "small" if row["{theme.amount}"] < {k} else "large" if row["{theme.amount}"] > {2 * k} else "middle"',
                "size",
                "text",
            )
        )
    if "date" in work.columns and "month" not in work.columns:
        options.append(
            (
                "add the column month: the number of the date's month, as a whole number",
                'for row in rows:\n    row["month"] = int(row["date"][5:7])',
                "month",
                "int",
            )
        )
    if theme.amount in work.columns and "share" not in work.columns and "kind" in work.columns:
        options.append(
            (
                f"add the column share: {theme.amount} divided by the sum of {theme.amount} over all rows of the same kind at this point, 0 where that sum is 0",
                f'sums = {{}}\nfor row in rows:\n    sums[row["kind"]] = sums.get(row["kind"], 0) + row["{theme.amount}"]\nfor row in rows:\n    row["share"] = row["{theme.amount}"] / sums[row["kind"]] if sums[row["kind"]] else 0',
                "share",
                "float",
            )
        )
    if (
        theme.amount in work.columns
        and theme.key in work.columns
        and "total" not in work.columns
        and "date" in work.columns
        and "id" in work.columns
    ):
        options.append(
            (
                f"add the column total: the sum of {theme.amount} over the rows of the same {theme.key} up to this row, this row included, where rows are taken by date and, on the same date, by id",
                f'sums = {{}}\nfor row in sorted(rows, key=lambda row: (row["date"], row["id"])):\n    sums[row["{theme.key}"]] = sums.get(row["{theme.key}"], 0) + row["{theme.amount}"]\n    row["total"] = sums[row["{theme.key}"]]',
                "total",
                "int",
            )
        )
    if options:
        sentence, code, name, kind = options[draw.whole(0, len(options) - 1)]
        work.add(sentence, code)
        work.columns[name] = kind


def _group(draw: Draw, work: Work) -> None:
    texts, numbers = _texts(work), [name for name in _numbers(work) if name != "id"]
    if not texts or not numbers:
        return
    by = draw.sample(texts, min(len(texts), draw.whole(1, 2)))
    number = numbers[draw.whole(0, len(numbers) - 1)]
    options = [
        ("rows", "the number of rows", "len(group)", "int"),
        ("sum", f"the sum of {number}", f'sum(row["{number}"] for row in group)', "int"),
        ("most", f"the largest {number}", f'max(row["{number}"] for row in group)', "int"),
        ("mean", f"the mean of {number}", f'sum(row["{number}"] for row in group) / len(group)', "float"),
        (
            "different",
            f"the number of different values of {number}",
            f'len({{row["{number}"] for row in group}})',
            "int",
        ),
    ]
    made = draw.sample(options, draw.whole(1, 3))
    said = ", ".join(f"{name} ({what})" for name, what, _, _ in made)
    values = ", ".join(f'"{name}": {value}' for name, _, value, _ in made)
    keys = ", ".join(f'row["{name}"]' for name in by)
    work.add(
        f"make one row for each combination of {' and '.join(by)} that occurs, with {' and '.join(by)} and {said}",
        f"""
        groups = {{}}
        for row in rows:
            groups.setdefault(({keys},), []).append(row)
        rows = [{{**dict(zip({by!r}, key)), {values}}} for key, group in groups.items()]
        """,
    )
    work.columns = dict.fromkeys(by, "text") | {name: kind for name, _, _, kind in made}


def _top(draw: Draw, work: Work) -> None:
    texts, numbers = _texts(work), _numbers(work)
    if not texts or not numbers:
        return
    by, number = texts[draw.whole(0, len(texts) - 1)], numbers[draw.whole(0, len(numbers) - 1)]
    rest = [name for name in work.columns if name != number and work.columns[name] != "float"]
    ties = ", ".join(f'row["{name}"]' for name in rest)
    most = draw.whole(1, 2)
    work.add(
        f"for each {by}, keep only the {'row' if most == 1 else f'{most} rows'} with the largest {number} (of rows with equal {number}, those that come first "
        f"when ordered by {', then '.join(rest)}, ascending)",
        f"""
        kept = {{}}
        for row in sorted(rows, key=lambda row: (-row["{number}"], {ties})):
            if len(kept.setdefault(row["{by}"], [])) < {most}:
                kept[row["{by}"]].append(row)
        rows = [row for group in kept.values() for row in group]
        """,
    )


def _sort(draw: Draw, work: Work) -> None:
    names = [name for name, kind in work.columns.items() if kind != "float"]
    first = names[draw.whole(0, len(names) - 1)]
    down = work.columns[first] == "int" and draw.chance(0.6)
    rest = [name for name in names if name != first]
    key = ", ".join([f'{"-" if down else ""}row["{first}"]', *(f'row["{name}"]' for name in rest)])
    then = f", then by {', '.join(rest)}, ascending" if rest else ""
    work.add(
        f"sort the rows by {first}, {'descending' if down else 'ascending'}{then}",
        f"rows.sort(key=lambda row: ({key},))",
    )
    work.ordered = True
    if draw.chance(0.4):
        most = draw.whole(2, 4)
        work.add(f"keep the first {most} rows", f"rows = rows[:{most}]")


_STEPS: Sequence[Callable[[Draw, Work], None]] = (_filter, _join, _derive, _filter, _derive, _join)


def draw_work(draw: Draw) -> tuple[Work, Callable[[], list[Any]]]:
    """Draw a piece of work and a source of its arguments."""
    theme = draw.pick(*THEMES)
    columns = {"id": "int", theme.key: "text", "kind": "text", theme.amount: "int", "date": "text"}
    work = Work(theme, columns=columns)
    _clean(draw, work)
    for step in draw.sample(_STEPS, draw.scale(1, 4)):
        step(draw, work)
    if draw.chance(0.4 + 0.5 * draw.level):
        _group(draw, work)
    if draw.chance(0.5 * draw.level):
        _top(draw, work)
    if draw.chance(0.6):
        _sort(draw, work)
    return work, lambda: [_tables(draw, theme)]


def _tables(draw: Draw, theme: Theme) -> Mapping[str, list[dict[str, Any]]]:
    people = ["ann", "bob", "cy", "dee", "eli"]
    events: list[dict[str, Any]] = []
    for number in range(1, draw.whole(4, 11) + 1):
        if events and draw.chance(0.15):
            events.append({**events[-1], "id": number})
            continue
        kind = draw.pick(*theme.kinds)
        kind = draw.pick(kind, kind, kind.upper(), f" {kind}", f"{kind.capitalize()} ")
        amount = None if draw.chance(0.12) else draw.whole(0, 24)
        date = f"2025-{draw.whole(1, 6):02d}-{draw.whole(1, 28):02d}"
        events.append({"id": number, theme.key: draw.pick(*people), "kind": kind, theme.amount: amount, "date": date})
    things = [
        {theme.key: name, theme.place: draw.pick(*theme.places)} for name in draw.sample(people, draw.whole(2, 4))
    ]
    return {theme.events: events, theme.things: things}
