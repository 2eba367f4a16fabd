"""Proofs tactic by tactic: what a turn does and what it pays, the same for every prover.

The potential of a state with open goals is at most 0, and 0 at the start: it falls with every further goal and with
goals that grow, and rises again as they are closed. A proof that the final check accepts is worth 1. Rewards are
differences of the potential (Ng, Harada and Russell 1999), so they telescope: a state pays once, coming back to it
repays what leaving it cost, no detour through `have`, `cases` or `exfalso` earns anything, and whoever does not prove
the theorem ends at 0 or below.
"""

from __future__ import annotations

import re
from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

from proofgym.envs.base import Info, TurnResult, VerifiableEnv
from proofgym.envs.prover.problem import Problem
from proofgym.envs.task import Task, fingerprint
from proofgym.errors import BadInput
from proofgym.verifiers import Credit, Verdict
from proofgym.verifiers.proof import Backend, Budget, Goal, Hypothesis, ProofState, ProofTask, backend

__all__ = ["AUTOMATION", "FINGERPRINTS", "MISTAKE", "ProverEnv", "TacticEnv", "potential"]

FINGERPRINTS = "theorem"
"""The family in whose name every theorem's fingerprint is taken, whoever asks it."""
MISTAKE = 0.02
"""What a tactic that fails costs, in reward units."""
SHAPING = 0.3
"""How low the potential can fall."""

_DRAWS = 300
_SEARCHING = {
    "toy": "",
    "lean": "simp simp_all dsimp decide omega grind aesop norm_num ring ring_nf linarith nlinarith tauto",
    "coq": (
        "auto eauto lia nia lra nra ring field tauto intuition firstorder congruence easy now trivial btauto decide "
        "dintuition dtauto"
    ),
}
AUTOMATION: Mapping[str, frozenset[str]] = {prover: frozenset(words.split()) for prover, words in _SEARCHING.items()}
"""The tactics that search, by prover: what `forbid="automation"` forbids."""

_WORD = re.compile(r"[\w']+")
_META = re.compile(r"(undo|goto)(?:\s+(\d{1,6}))?\s*\.?", re.ASCII)
_FENCE = re.compile(r"\A\s*```[a-zA-Z0-9]*\n(.*?)\n?```\s*\Z", re.DOTALL)


def potential(goals: int, size: int, first: int) -> float:
    """The potential of a state with open goals, in [-0.3, 0].

    Args:
        goals: How many are open, at least 1.
        size: The sizes of their targets together.
        first: The size of the theorem.

    >>> potential(1, 9, 9), potential(1, 2, 9), round(potential(2, 18, 9), 3)
    (0.0, 0.0, -0.18)
    """
    excess = (goals - 1) + 0.5 * max(0.0, size / max(1, first) - 1.0)
    return 0.0 - SHAPING * excess / (1.0 + excess)


class ProverEnv(VerifiableEnv):
    """What tactic and whole-proof environments share: a prover, problems, and their reading."""

    prover: ClassVar[str]
    floor: float = 0.0
    observation_limit: ClassVar[int] = 16_384
    action_limit: ClassVar[int] = 16_384

    def __init__(
        self,
        *,
        budget: Mapping[str, Any] | None = None,
        forbid: Sequence[str] | str = (),
        prover_backend: Backend | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.forbid = AUTOMATION[self.prover] if forbid == "automation" else frozenset(forbid)
        try:
            self.budget = Budget(**(budget or {}))
        except TypeError as error:
            raise BadInput(f"budget takes heartbeats, step_s, check_s and memory_mb: {error}") from error
        self._backend_given = prover_backend
        self._problem: Problem | None = None

    @property
    def backend(self) -> Backend:
        """The prover; shared by everybody in this process unless one was given."""
        return self._backend_given or backend(self.prover)

    @property
    def problem(self) -> Problem:
        """The theorem of the running episode."""
        assert self._problem is not None
        return self._problem

    def forbidden(self, text: str) -> str:
        """Which forbidden word a text holds, in a sentence, or the empty string."""
        found = sorted(self.forbid.intersection(_WORD.findall(text))) if self.forbid else []
        return f"The word {found[0]!r} is forbidden here." if found else ""

    def allowed(self, draw: Callable[[], Problem]) -> Problem:
        """Draw until the known proof holds no forbidden word.

        Raises:
            BadInput: If every proof does.
        """
        for _ in range(_DRAWS):
            problem = draw()
            if not self.forbidden("\n".join(problem.script)):
                return problem
        raise BadInput(f"every known proof uses one of {', '.join(sorted(self.forbid))}; choose other kinds")

    @abstractmethod
    def lemmas(self) -> list[str]:
        """Names and statements that a proof may use, for `info`."""

    def canonical(self, instance: Mapping[str, Any]) -> Any:
        """The key of the statement; neither its names nor its known proof count."""
        return Problem.read(instance).key

    def difficulty(self, instance: Mapping[str, Any]) -> float:
        """By the length of the known proof, or of the statement where none is known."""
        problem = Problem.read(instance)
        if problem.script:
            return min(1.0, len(problem.script) / 25)
        return min(1.0, len(problem.statement) / 400)

    def known_proof(self) -> tuple[str, ...]:
        """The tactics of the known proof.

        Raises:
            BadInput: If none is known.
        """
        if not self.problem.script:
            raise BadInput(f"no proof of {self.problem.name} is known")
        return self.problem.script

    def _asked(self) -> ProofTask:
        return self.problem.task(self.budget)

    def _info(self, credits_: Sequence[Credit], verdict: Verdict | None) -> Info:
        info = super()._info(credits_, verdict)
        if self._turns == 0:  # once an episode: there are many, and they do not change
            info["lemmas"] = self.lemmas()
        return info

    def _as_task(self, instance: Mapping[str, Any]) -> Task:
        """Fingerprints do not depend on the environment: a theorem held out from one is held out from all of them."""
        mark = fingerprint(FINGERPRINTS, self.canonical(instance))
        return Task(self.family, instance, mark, self.difficulty(instance))


class TacticEnv(ProverEnv):
    """A theorem, a tactic or several a turn, and credits on each of them. Subclasses choose the prover."""

    default_max_turns: ClassVar[int] = 32
    most_states: ClassVar[int] = 400

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._states: list[ProofState] = []
        self._parents: list[int] = []
        self._at = 0
        self._proved = False

    # Episode ----------------------------------------------------------------------------------------------------------

    def begin(self, instance: Mapping[str, Any]) -> str:
        self._problem = Problem.read(instance)
        first = self.backend.open(self._asked())
        self._states, self._parents, self._at, self._proved = [first], [0], 0, False
        return f"{self.introduction()}\n\n{self._shown()}"

    @abstractmethod
    def introduction(self) -> str:
        """What stands above the goals in the first observation."""

    def turn(self, action: str) -> TurnResult:
        text, offset = _unfenced(action)
        spans = [(begin + offset, end + offset) for begin, end in self.backend.split(text)]
        credits_: list[Credit] = []
        if not spans:
            return TurnResult(self._tell("No tactic was found."))
        notes: list[str] = []
        for begin, end in spans:
            before = self._potential()
            said, ok = self._step(action[begin:end])
            value = self._potential() - before - (0.0 if ok else MISTAKE)
            credits_.append(Credit(begin, end, value, "step" if ok else "mistake", said))
            notes.append(said)
            if self.state_now.finished:
                return self._finish(credits_, begin, end)
            if not ok:
                break
        return TurnResult(self._tell(notes[-1]), credits_)

    @property
    def state_now(self) -> ProofState:
        """Where the proof stands."""
        return self._states[self._at]

    def _finish(self, credits_: list[Credit], begin: int, end: int) -> TurnResult:
        report = self.backend.examine(self._asked(), self.proof_text(self.state_now.path))
        self._proved = report.accepted
        last = credits_[-1]
        # The live session sees no goal, which is worth nothing until a fresh process agrees.
        value = last.value + (1.0 if report.accepted else 0.0)
        credits_[-1] = Credit(begin, end, value, "proof" if report.accepted else "refused", report.verdict.reason)
        said = "Proved." if report.accepted else f"The final check refuses this proof. {report.messages}".strip()
        return TurnResult(said[: self.observation_limit], credits_, report.verdict, terminated=True)

    def proof_text(self, path: Sequence[str]) -> str:
        """The tactics of a path as one proof."""
        return "\n".join(path)

    def _step(self, tactic: str) -> tuple[str, bool]:
        meta = _META.fullmatch(tactic.strip())
        if meta is not None:
            return self._move(meta[1], meta[2])
        refused = self.forbidden(tactic)
        if refused:
            return refused, False
        result = self.backend.run(self.state_now, tactic)
        if result.state is None:
            return result.error or "That fails.", False
        if len(self._states) >= self.most_states:
            return f"An episode has at most {self.most_states} states; undo or goto.", False
        same = result.state.key == self.state_now.key
        self._states.append(result.state)
        self._parents.append(self._at)
        self._at = len(self._states) - 1
        return "The goals are as before." if same else "", True

    def _move(self, word: str, number: str | None) -> tuple[str, bool]:
        if word == "undo":
            for _ in range(min(int(number or 1), len(self._states))):
                self._at = self._parents[self._at]
            return "", True
        target = int(number) if number is not None else -1
        if not 0 <= target < len(self._states):
            return f"There is no state {number}; there are 0 to {len(self._states) - 1}.", False
        self._at = target
        return "", True

    # What is seen -----------------------------------------------------------------------------------------------------

    def _shown(self) -> str:
        goals = self.state_now.goals
        head = f"state {self._at}, {len(goals)} goal{'' if len(goals) == 1 else 's'}"
        shown = "\n\n".join(map(str, goals))
        most = 10_000
        if len(shown) > most:
            shown = f"{shown[:most]}\n... {len(shown) - most} more characters"
        return f"{head}\n{shown}"

    def _tell(self, said: str) -> str:
        return f"{said}\n\n{self._shown()}" if said else self._shown()

    def potential(self) -> float | None:
        """1 when proved; at most 0 while goals are open."""
        return self._potential() if self._states else None

    def _potential(self) -> float:
        if self._proved:
            return 1.0
        state, first = self.state_now, self._states[0]
        if state.finished:
            return 0.0
        return potential(len(state.goals), state.size, first.size)

    # Copies -----------------------------------------------------------------------------------------------------------

    def save(self) -> dict[str, Any]:
        return {
            "states": [[list(state.path), [_goal_out(goal) for goal in state.goals]] for state in self._states],
            "parents": list(self._parents), "at": self._at, "proved": self._proved,
        }  # fmt: skip

    def load(self, data: Mapping[str, Any]) -> None:
        task = self._states[0].task
        self._states = [
            ProofState(task, tuple(path), tuple(_goal_in(goal) for goal in goals)) for path, goals in data["states"]
        ]
        self._parents, self._at, self._proved = list(data["parents"]), int(data["at"]), bool(data["proved"])

    def oracle(self) -> str:
        """What is left of the known proof; from elsewhere, back to the start and all of it."""
        script, path = self.known_proof(), self.state_now.path
        if path == script[: len(path)]:
            return self.proof_text(script[len(path) :])
        return self.proof_text([self.command("goto 0"), *script])

    def command(self, text: str) -> str:
        """A command to the environment as this prover's texts are cut."""
        return text

    def cheats(self) -> Sequence[str]:
        """Holes, axioms and ways around the kernel, besides junk."""
        return (
            *super().cheats(),
            "sorry",
            "admit",
            "undo 99999",
            "goto 99999",
            "goto 0",
            "exact sorry",
            "axiom h : False",
        )


def _unfenced(action: str) -> tuple[str, int]:
    """The inside of one code block, when the action is nothing else, and where it begins."""
    found = _FENCE.match(action)
    return (found[1], found.start(1)) if found else (action, 0)


def _goal_out(goal: Goal) -> list[Any]:
    return [goal.target, goal.case, [[list(h.names), h.type, h.value] for h in goal.hypotheses]]


def _goal_in(data: Any) -> Goal:
    target, case, hypotheses = data
    return Goal(target, tuple(Hypothesis(tuple(names), type_, value) for names, type_, value in hypotheses), case)
