"""Tracing a program of a small imperative language, with credit for every right step."""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
from typing_extensions import Self

from proofgym.envs.puzzles import answers, fields
from proofgym.envs.puzzles.answers import Unreadable, find_answer
from proofgym.envs.puzzles.contract import Knob, Knobs, Puzzle
from proofgym.envs.puzzles.draws import Draws
from proofgym.errors import BadInput
from proofgym.verifiers import Credit, Verdict
from proofgym.verifiers.math.numeric import lines

__all__ = ["ProgramTrace"]

_NAMES = "abcd"
_SET = re.compile(r"([a-d]) = ([a-d]|[0-9]{1,2})(?: ([-+*%]) ([a-d]|[0-9]{1,2}))?", re.ASCII)
_JUMP = re.compile(r"if ([a-d]) ([<>=]) ([a-d]|[0-9]{1,2}) goto ([0-9]{1,2})", re.ASCII)
_MOST_STEPS = 60


class ProgramTrace(Puzzle):
    """Trace a program with assignments and conditional jumps: write down all variables after every assignment.

    Numbers are taken modulo 100. Every line of the trace is paid as long as all lines before it are right, so the first
    error shows where it happened. The program halts; its steps are counted.
    """

    family = "program_trace"
    knobs: ClassVar[Mapping[str, Knob]] = {
        "lines": Knob(4, 9, "lines of the program", 3, 20),
        "steps": Knob(5, 20, "assignments that are carried out, at least", 1, 40),
        "variables": Knob(2, 4, "variables", 2, 4),
    }
    hardness_of = "lines carried out"

    @classmethod
    def generate(cls, rng: np.random.Generator, knobs: Knobs) -> Self:
        """A loop with a counter, perhaps with a jump inside, and a few assignments around it."""
        n, wanted = knobs["lines"], knobs["steps"]
        attempts = Draws(cls.family)
        while True:
            attempts.count()
            names = [_NAMES[i] for i in rng.permutation(knobs["variables"]).tolist()]
            counter, others = names[0], names[1:]
            before, body = int(rng.integers(0, 2)), max(1, n - 3 - int(rng.integers(0, 2)))
            program = [_assignment(rng, others, names) for _ in range(before + body)]
            if body > 2 and rng.random() < 0.6:  # skips a line of the body, or several
                at = before + int(rng.integers(body - 1))
                past = int(rng.integers(at + 3, before + body + 2))
                sign, name = "<>="[int(rng.integers(3))], others[int(rng.integers(len(others)))]
                program[at] = f"if {name} {sign} {int(rng.integers(10, 90))} goto {past}"
            step, rounds = int(rng.integers(1, 10)), max(1, round(wanted * 1.3 / (body + 1)))
            start = rng.integers(0, 30, size=int(knobs["variables"])).tolist()
            low = start[_NAMES.index(counter)]
            up = low + step * rounds < 100 and rng.random() < 0.6
            if not up:
                low = start[_NAMES.index(counter)] = min(99, low + step * rounds)
            bound = low + step * rounds if up else max(0, low - step * rounds)
            program.append(f"{counter} = {counter} {'+' if up else '-'} {step}")
            program.append(f"if {counter} {'<' if up else '>'} {bound} goto {before + 1}")
            program += [_assignment(rng, others, names) for _ in range(n - len(program))]
            try:
                puzzle = cls({"program": program, "start": start})
            except BadInput:
                continue  # it does not halt
            trace = puzzle.trace
            if wanted <= len(trace) <= 2 * wanted + n and len({values for _, values in trace}) > len(trace) // 2:
                return puzzle

    def read(self, data: Mapping[str, Any]) -> None:
        fields.only(data, "program", "start")
        self.program = fields.texts(data, "program", most=40, longest=60)
        self.start = fields.wholes(data, "start", 0, 99, least=1, most=len(_NAMES))
        names = _NAMES[: len(self.start)]
        self._code: list[tuple[str, ...]] = []
        for line in self.program:
            found = _SET.fullmatch(line) or _JUMP.fullmatch(line)
            if not found or any(part in _NAMES and part not in names for part in found.groups() if part):
                raise BadInput(
                    f"a line is 'a = b + 3' or 'if a > 7 goto 2' with variables of {names}, found {line!r:.60}"
                )
            self._code.append(tuple(part or "" for part in found.groups()) + ("jump",) * line.startswith("if "))
        self.trace, self._carried = self._run()

    def _run(self) -> tuple[list[tuple[int, tuple[int, ...]]], int]:
        """The line and all values after each assignment, and how many lines were carried out."""
        values = dict(zip(_NAMES, self.start, strict=False))
        trace: list[tuple[int, tuple[int, ...]]] = []
        at = carried = 0
        while at < len(self._code):
            carried += 1
            if carried > 4 * _MOST_STEPS or len(trace) > _MOST_STEPS:
                raise BadInput(f"the program does not halt within {_MOST_STEPS} assignments")
            code = self._code[at]

            def value(word: str) -> int:
                return values[word] if word in values else int(word)

            if code[-1] == "jump":
                name, sign, bound, target = code[:4]
                one, two = values[name], value(bound)
                true = one < two if sign == "<" else one > two if sign == ">" else one == two
                at = int(target) - 1 if true else at + 1
                if at < 0:
                    raise BadInput("lines are counted from 1")
                continue
            name, left, sign, right = code
            result = value(left)
            if sign:
                other = value(right)
                if sign == "%" and not other:
                    raise BadInput(f"line {at + 1} divides by zero")
                result = (result + other if sign == "+" else result - other if sign == "-"
                          else result * other if sign == "*" else result % other)  # fmt: skip
            values[name] = result % 100
            trace.append((at + 1, tuple(values.values())))
            at += 1
        if not trace:
            raise BadInput("the program carries out no assignment")
        return trace, carried

    def question(self) -> str:
        names = ", ".join(_NAMES[: len(self.start)])
        program = "\n".join(f"{i}: {line}" for i, line in enumerate(self.program, 1))
        start = ", ".join(f"{name} = {value}" for name, value in zip(_NAMES, self.start, strict=False))
        return (
            f"This program is carried out from line 1; it halts when it leaves the last line:\n{program}\nResults "
            f"are taken modulo 100, between 0 and 99; % is the remainder. At the start {start}.\n"
            "Trace it. End with 'Answer:' and below it one line for every assignment that is carried out, in order: "
            f"the number of its line, a colon, and the values of {names} after it, separated by blanks."
        )

    def answer_lines(self) -> int:
        return len(self.trace)

    def grade(self, text: str) -> tuple[Verdict, list[Credit]]:
        """Every line is paid if it and all before it are right."""
        found = find_answer(text, self.answer_lines())
        if found is None:
            return Verdict.malformed("there is no answer"), []
        n, right, credits_ = len(self.trace), 0, list[Credit]()
        read = itertools.islice(lines(found.text), 4 * n + 8)
        spans = [(found.start + start, found.start + end) for start, end in read]
        spans = [(start, end) for start, end in spans if text[start:end].strip("`~ ")][: n + 1]
        for number, (start, end) in enumerate(spans):
            fault = self._fault(number, text[start:end])
            if fault:
                credits_.append(Credit(start, end, 0.0, "step", fault))
                break
            right += 1
            credits_.append(Credit(start, end, 1 / n, "step", ""))
        if right == n and len(spans) == n:
            return Verdict.right(f"{n} steps"), credits_
        if right == n:  # what stands below a full trace costs its last step
            credits_[n - 1] = Credit(*spans[n - 1], 0.0, "step", "the program has halted")
            right -= 1
        verdict = Verdict.partial(min(right / n, 1 - 1e-9), f"{right} of {n} steps are right", steps=right / n)
        return verdict, credits_

    def _fault(self, number: int, line: str) -> str | None:
        if number >= len(self.trace):
            return "the program has halted"
        try:
            said = answers.wholes(line.replace(":", " ", 1))
        except Unreadable as error:
            return str(error)
        at, values = self.trace[number]
        return (
            None
            if said == [at, *values]
            else f"step {number + 1} is line {at}, with {' '.join(map(str, values))} after it"
        )

    def judge(self, answer: str) -> Verdict:
        return self.grade(f"Answer:\n{answer}")[0]

    def solution(self) -> str:
        return "\n".join(f"{at}: {' '.join(map(str, values))}" for at, values in self.trace)

    def hardness(self) -> float:
        return float(self._carried)

    def cheats(self) -> Sequence[str]:
        at, values = self.trace[-1]
        last = f"{at}: {' '.join(map(str, values))}"
        return ("Answer:\n" + "\n".join(self.program), f"Answer:\n{'1: 0 0' * 20}") + (
            () if len(self.trace) == 1 else (last,)
        )


def _assignment(rng: np.random.Generator, to: Sequence[str], names: Sequence[str]) -> str:
    one, two, three = (names[int(rng.integers(len(names)))] for _ in range(3))
    sign = "++-*%"[int(rng.integers(5))]
    if sign == "%" or rng.random() < 0.4:
        two = str(rng.integers(3, 10))
    return f"{to[int(rng.integers(len(to)))]} = {one if one != two else three} {sign} {two}"
