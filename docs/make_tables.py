"""Write `docs/environments.md` from the registry, so that the page cannot disagree with the code.

python docs/make_tables.py            say whether the page is fresh (exit code 1 if not)
python docs/make_tables.py --write    rewrite it
"""

from __future__ import annotations

import importlib
import sys
from itertools import groupby
from pathlib import Path

from proofgym.envs.registry import ENTRIES, EnvEntry

PAGE = Path(__file__).with_name("environments.md")

_HEAD = """# Environments

<!-- Made by docs/make_tables.py from the registry; edit the registry, then run it with --write. -->

Make one by its id, `proofgym.make("proofgym/SudokuSteps-v0")`; the prefix and the version may be left out. An expert
that reads the question earns 1.0 an episode everywhere. The *floor* is the most that a policy which does not read it
earns on average. `proofgym show ID` prints the whole story of one, with an example.

Every environment takes `split` (`train`, `validation`, `test`; a task's fingerprint alone decides), `level` (difficulty
in [0, 1]) and `max_turns`.
"""

_DOMAINS = {
    "math": "Mathematics",
    "code": "Code",
    "proof": "Formal proof",
    "puzzles": "Puzzles",
    "worlds": "Text worlds",
    "imports": "Other suites",
}

_TOOLS = {"coq": "`apt-get install coq`"}  # what no extra can bring


def render() -> str:
    """The page as the registry has it now."""
    parts = [_HEAD]
    order = list(_DOMAINS)
    entries = sorted(ENTRIES, key=lambda entry: (order.index(entry.domain), entry.id))
    for domain, members in groupby(entries, key=lambda entry: entry.domain):
        parts.append(f"\n## {_DOMAINS[domain]}\n\n| id | asks | turns | floor | needs |\n|---|---|--:|--:|---|\n")
        parts += [_row(entry) for entry in members]
    return "".join(parts)


def _row(entry: EnvEntry) -> str:
    needs = ", ".join(_TOOLS.get(need, f"`proofgym[{need}]`") for need in entry.needs)
    summary = entry.summary.replace("|", "\\|")
    return f"| `{entry.id}` | {summary} | {entry.max_turns} | {_floor(entry):g} | {needs} |\n"


def _floor(entry: EnvEntry) -> float:
    module, _, name = entry.target.partition(":")
    return float(getattr(importlib.import_module(module), name).floor)


def main(arguments: list[str]) -> int:
    """Check or rewrite the page."""
    page = render()
    if arguments == ["--write"]:
        PAGE.write_text(page, encoding="utf-8")
        return 0
    if PAGE.is_file() and PAGE.read_text(encoding="utf-8") == page:
        return 0
    print(f"{PAGE.name} is stale: run `python docs/make_tables.py --write`", file=sys.stderr)
    return 1


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
