"""Write the gallery of puzzles, its pictures and the table of measured hardness, from the families themselves.

python docs/make_puzzles.py             say whether the gallery is fresh (exit code 1 if not)
python docs/make_puzzles.py --write     rewrite the gallery and its pictures
python docs/make_puzzles.py --measure   measure the hardness of every family at every level (minutes), then rewrite
python docs/make_puzzles.py --measure NAME ...    of these families only
"""

from __future__ import annotations

import json
import sys
from itertools import groupby
from pathlib import Path

import numpy as np
from rich.progress import track

from proofgym.envs.puzzles import levels
from proofgym.envs.puzzles.contract import MovePuzzle, Puzzle
from proofgym.envs.puzzles.families import FAMILIES, KINDS, FamilyEntry, load

HERE = Path(__file__).parent
PAGE = HERE / "puzzle-gallery.md"
PICTURES = HERE / "img" / "puzzles"
MEASURED = HERE.parent / "envs" / "puzzles" / "levels.json"

_LEVEL = 0.3  # an example that fits on a page

_HEAD = """# Gallery of puzzles

<!-- Made by docs/make_puzzles.py from the families; edit a family, then run it with --write. -->

One example of each family at level {level}, with an answer that is right. Any answer that keeps the rules is right, not
only this one. `Name` is `proofgym.make("proofgym/Name-v0")`; a second name is the same puzzle played one move a turn.
How families are built, judged and paid is told in [Puzzles](envs/puzzles.md); `proofgym list --puzzles` prints the
knobs and the measured hardness of each level.
"""


def example(entry: FamilyEntry) -> Puzzle:
    """The puzzle that is shown."""
    kind = load(entry.target)
    return kind.generate(np.random.default_rng([7, 0]), kind.settings(_LEVEL))


def pages() -> dict[Path, str]:
    """Every file of the gallery, with its text."""
    order = sorted(FAMILIES, key=lambda entry: (KINDS.index(entry.kind), entry.name))
    files: dict[Path, str] = {}
    parts = [_HEAD.format(level=_LEVEL), f"\n{len(FAMILIES)} families:\n"]
    for kind, members in groupby(order, key=lambda entry: entry.kind):
        links = ", ".join(f"[{entry.name}](#{entry.name.lower()})" for entry in members)
        parts.append(f"\n- {kind}: {links}")
    parts.append("\n")
    for kind, members in groupby(order, key=lambda entry: entry.kind):
        parts.append(f"\n## {kind.capitalize()}\n")
        for entry in members:
            puzzle = example(entry)
            picture = puzzle.svg()
            if picture is not None:
                files[PICTURES / f"{puzzle.family}.svg"] = picture + "\n"
            parts.append(_section(entry, puzzle, shown=picture is not None))
    files[PAGE] = "".join(parts)
    return files


def _section(entry: FamilyEntry, puzzle: Puzzle, *, shown: bool) -> str:
    names = " and ".join(f"`{name}`" for name in (entry.single_name, entry.steps_name) if name)
    text = f"\n### {entry.name}\n\n{entry.summary} {names}.\n"
    if shown:
        text += f"\n![{entry.name}](img/puzzles/{puzzle.family}.svg)\n"
    if entry.single_name:
        asked, said = puzzle.question(), puzzle.solution()
    else:
        assert isinstance(puzzle, MovePuzzle)
        state, moves = puzzle.start(), []
        asked = f"{puzzle.rules()}\n{puzzle.view(state)}"
        while not puzzle.solved(state):
            moves.append(puzzle.best(state))
            state = puzzle.apply(state, moves[-1])
        said = "\n".join(moves)
    return f"{text}\n```text\n{asked.rstrip()}\n```\n\nAn answer:\n\n```text\n{said}\n```\n"


def measure(names: list[str]) -> None:
    """Measure families and store what was found; what was measured before an interruption is kept."""
    found = json.loads(MEASURED.read_text(encoding="utf-8")) if MEASURED.is_file() else {}
    for entry in track([entry for entry in FAMILIES if not names or entry.name in names], "Measuring"):
        found[entry.name] = levels.measure(entry.name)
        rows = ",\n".join(f"{json.dumps(name)}: {json.dumps(found[name])}" for name in sorted(found))
        MEASURED.write_text(f"{{\n{rows}\n}}\n", encoding="utf-8")


def main(arguments: list[str]) -> int:
    """Check, rewrite or measure."""
    if arguments[:1] == ["--measure"]:
        measure(arguments[1:])
    files = pages()
    if arguments[:1] in (["--write"], ["--measure"]):
        PICTURES.mkdir(parents=True, exist_ok=True)
        for stale in set(PICTURES.glob("*.svg")) - set(files):
            stale.unlink()
        for path, text in files.items():
            path.write_text(text, encoding="utf-8")
        return 0
    stale_files = [path.name for path, text in files.items() if not path.is_file() or path.read_text("utf-8") != text]
    if stale_files:
        print(f"{stale_files[0]} is stale: run `python docs/make_puzzles.py --write`", file=sys.stderr)
    return 1 if stale_files else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
