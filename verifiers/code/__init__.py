"""Judges of programs: functions, classes, printed output, test suites and programs that talk to an interactor.

>>> from proofgym.verifiers import code
>>> task = {"kind": "function", "entry": "double", "cases": [{"args": [21], "expected": 42}]}
>>> code.grade(task, "def double(n): return 2 * n").correct  # doctest: +SKIP
True
"""

from proofgym.verifiers.code.compare import Comparator
from proofgym.verifiers.code.extraction import Extraction, extract
from proofgym.verifiers.code.grading import grade, grade_many, judge
from proofgym.verifiers.code.pools import shared
from proofgym.verifiers.code.report import CodeReport, Ending, Fate
from proofgym.verifiers.code.task import Case, CodeTask, Step

__all__ = [
    "Case",
    "CodeReport",
    "CodeTask",
    "Comparator",
    "Ending",
    "Extraction",
    "Fate",
    "Step",
    "extract",
    "grade",
    "grade_many",
    "judge",
    "shared",
]
