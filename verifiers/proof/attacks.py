"""Cheating and broken proofs, each with the layer that must refuse it and the layer that must do so without the gate.

The rows are the ways in which provers have been fooled: holes, axioms, compiled code, a changed statement, a second
theorem of the same name, commands smuggled behind a tactic, elaborator code, files and processes, bombs; and plain
mistakes. `beneath` says what stands behind the gate; it is never nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from proofgym.verifiers.proof.protocol import Budget

__all__ = ["ATTACKS", "Attack"]


_CHECK = Budget(check_s=20.0)


@dataclass(frozen=True, slots=True)
class Attack:
    """One text that must not pass.

    Args:
        prover: `lean` or `coq`.
        row: Which way of cheating it stands for.
        proof: The text.
        statement: What it pretends to prove.
        layer: The layer that refuses it.
        beneath: The layer that refuses it when the gate is left out.
        budget: Smaller limits, for bombs.
    """

    prover: str
    row: str
    proof: str
    layer: str
    beneath: str
    statement: str = ": False"
    budget: Budget = _CHECK


_BOMB = Budget(heartbeats=20_000, check_s=3.0, memory_mb=1024)


def _all(prover: str) -> Callable[..., list[Attack]]:
    def made(
        row: str, layer: str, beneath: str, *proofs: str, statement: str = ": False", budget: Budget = _CHECK
    ) -> list[Attack]:
        return [Attack(prover, row, proof, layer, beneath, statement, budget) for proof in proofs]

    return made


_lean, _coq = _all("lean"), _all("coq")


_PQ = "(p q : Prop) (hp : p) : p ∧ q"
_COMMANDS = (
    "axiom cheat : False",
    "constant cheat : False",
    "opaque cheat : True",
    "def Nat.gcd (a b : Nat) : Nat := a",
    "instance : Add Nat := ⟨Nat.mul⟩",
    "instance (n : Nat) : OfNat Nat n := ⟨0⟩",
    'notation "False" => True',
    'infixl:65 " + " => Nat.mul',
    "macro_rules | `(tactic| rfl) => `(tactic| sorry)",
    'macro "x" : tactic => `(tactic| sorry)',
    'syntax "y" : tactic',
    'elab "z" : tactic => pure ()',
    "namespace Fake",
    "section",
    "variable (h : False)",
    "universe w",
    "open Classical",
    "export Nat (add)",
    "attribute [simp] Nat.add_comm",
    "set_option debug.skipKernelTC true",
    "theorem other : True := trivial",
    "example : True := trivial",
    "abbrev F := True",
    "inductive Fake",
    "structure S where",
    "class C where",
    "mutual",
    "private theorem hid : True := trivial",
    "noncomputable section",
    "initialize pure ()",
    "run_cmd pure ()",
    "#exit",
    "#eval 1",
    "#print axioms goal",
    "import MiniNat",
    "deriving instance Foo for Nat",
    "local instance : Add Nat := ⟨Nat.mul⟩",
    '@[extern "puts"] opaque puts : Nat → Nat',
    "@[implemented_by Nat.add] def f (a b : Nat) : Nat := a",
    "init_quot",
)

LEAN: tuple[Attack, ...] = (
    *_lean(
        "holes",
        "gate",
        "axioms",
        "sorry",
        "exact sorry",
        "exact (by sorry)",
        "have h : False := sorry\nexact h",
        "first\n| assumption\n| sorry",
        "exact sorryAx False false",
        "refine ?_\nsorry",
        "all_goals sorry",
    ),
    *_lean("holes", "gate", "axioms", "exact ⟨hp, sorry⟩", "constructor\n· exact hp\n· sorry", statement=_PQ),
    *_lean("holes", "gate", "compile", "admit", "stop\nexact foo", "exact (by admit)"),
    *_lean("commands behind a tactic", "gate", "axioms", *(f"sorry\n{command}" for command in _COMMANDS[:1])),
    *_lean("commands behind a tactic", "gate", "compile", *(f"skip\n{command}" for command in _COMMANDS)),
    *_lean(
        "commands behind a true proof",
        "gate",
        "axioms",
        "trivial\naxiom cheat : False",
        "trivial\naxiom cheat : False\ntheorem goal.used : False := cheat",
        statement=": True",
    ),
    *_lean(
        "commands behind a true proof",
        "gate",
        "constants",
        "trivial\ntheorem other : True := trivial",
        "trivial\ndef Nat.cheat : Nat := 0",
        "trivial\ninductive Fake where\n| a : Fake",
        statement=": True",
    ),
    *_lean(
        "compiled code",
        "gate",
        "axioms",
        "exact (fun (_ : Lean.reduceBool true = Lean.reduceBool true) => trivial) rfl",
        "exact (fun (_ : Lean.reduceNat 1 = Lean.reduceNat 1) => trivial) rfl",
        "exact Lean.trustCompiler",
        statement=": True",
    ),
    *_lean("compiled code", "gate", "compile", "native_decide", "decide +native", "exact ofReduceBool _ _ rfl"),
    *_lean(
        "ways out of the logic",
        "gate",
        "compile",
        "exact lcProof",
        "exact lcUnreachable",
        "exact unsafeCast ()",
        "exact (show False from lcCast ())",
    ),
    *_lean(
        "elaborator code",
        "gate",
        "compile",
        "run_tac pure ()",
        "exact by_elab return default",
        "exact Lean.Elab.admitGoal",
        "run_elab pure ()",
        'exact (dbg_trace "x"; trivial)',
    ),
    *_lean(
        "files and processes",
        "gate",
        "compile",
        'exact include_str "/etc/passwd"',
        'exact IO.FS.readFile "/etc/passwd"',
        "exact System.FilePath.mk",
        "exact IO.Process.output",
    ),
    *_lean(
        "options",
        "gate",
        "compile",
        "set_option maxHeartbeats 0 in exact foo",
        "set_option debug.skipKernelTC true in exact (trivial : True)",
        "set_option autoImplicit true in exact h",
    ),
    *_lean(
        "text",
        "gate",
        "compile",
        "/- ",
        "exact foo -/",
        "exact «foo»",
        "exact `foo",
        'exact "a"',
        "exact foo\u202e",
        "exact\u200b foo",
        "skip\x00",
        "\u2066skip",
        'exact s!"x"',
    ),
    *_lean("length", "gate", "compile", "skip\n" * 5000),
    *_lean("itself", "compile", "compile", "exact goal", "apply goal", "exact (goal : False)", "intro\nexact goal"),
    *_lean(
        "itself",
        "gate",
        "compile",
        "exact f\nwhere f : False := f",
        "exact goal\ntermination_by 0",
        "exact goal\ndecreasing_by trivial",
    ),
    *_lean("itself", "compile", "compile", "let rec f : False := f\nexact f"),
    *_lean(
        "mistakes",
        "compile",
        "compile",
        "",
        "skip",
        "trivial",
        "assumption",
        "contradiction",
        "decide",
        "rfl",
        "simp",
        "exact h",
        "exact True.intro",
        "constructor",
        "intro h",
        "cases (0 : Nat)",
        "exfalso",
        "simp_all",
        "foo",
        "exact ⟨⟩",
    ),
    *_lean(
        "mistakes",
        "compile",
        "compile",
        "exact hp",
        "constructor\nexact hp",
        "exact ⟨hp, hp⟩",
        "constructor <;> exact hp",
        "left\nexact hp",
        statement=_PQ,
    ),
    *_lean(
        "mistakes", "compile", "compile", "rfl", "decide", "simp", "exact Nat.add_comm 1 2", statement=": 1 + 1 = 3"
    ),
    *_lean(
        "mistakes",
        "compile",
        "compile",
        "induction n with\n| zero => rfl\n| succ n ih => exact ih",
        "simp",
        "rfl",
        statement="(n : Nat) : n + 1 = 1 + n + n",
    ),
    *_lean("bombs", "limit", "limit", "repeat (first | skip | skip)", "repeat skip", budget=_BOMB),
    *_lean("bombs", "gate", "limit", "exact " + "(" * 3000 + "h" + ")" * 3000, budget=_BOMB),
)

_CAPITALS = (
    "Axiom cheat : False. exact cheat.",
    "Parameter cheat : False. exact cheat.",
    "Conjecture cheat : False. exact cheat.",
    "Hypothesis cheat : False. exact cheat.",
    "#[bypass_check(guard)] Fixpoint f (n : nat) : False := f n. exact (f 0).",
    "Unset Guard Checking. Fixpoint f (n : nat) : False := f n. exact (f 0).",
)
COQ: tuple[Attack, ...] = (
    *_coq("holes", "gate", "compile", "admit.", "give_up.", "exact ltac:(admit).", "all: admit.", "intros. admit."),
    *_coq(
        "holes",
        "gate",
        "constants",
        "Admitted. Theorem other : True. exact I.",
        "Abort. Theorem other : True. exact I.",
    ),
    *_coq("axioms", "gate", "constants", *_CAPITALS),
    *_coq("axioms", "gate", "axioms", "Require Import Classical. apply classic.", statement="(P : Prop) : P \\/ ~ P"),
    *_coq(
        "axioms",
        "gate",
        "axioms",
        "Require Import FunctionalExtensionality. intros f g h. apply functional_extensionality. exact h.",
        statement=": forall f g : nat -> nat, (forall x, f x = g x) -> f = g",
    ),
    *_coq(
        "a changed statement",
        "gate",
        "constants",
        "Abort. Definition False := True. Theorem goal : False. exact I.",
    ),
    *_coq(
        "a changed statement",
        "gate",
        "statement",
        "Abort. Theorem goal : True. exact I.",
        "Abort. Theorem goal : forall P : Prop, P -> P. trivial.",
        "Abort. Notation False := True. Theorem goal : False. exact I.",
    ),
    *_coq("a second theorem", "gate", "constants", "trivial. Qed. Theorem other : True. exact I.", statement=": True"),
    *_coq(
        "a second theorem",
        "gate",
        "constants",
        "trivial. Qed. Axiom cheat : False. Theorem other : True. exact I.",
        statement=": True",
    ),
    *_coq(
        "around the kernel",
        "gate",
        "compile",
        "native_compute. exact I.",
        "vm_cast_no_check I.",
        "exact_no_check I.",
        "native_cast_no_check I.",
        "change_no_check True. exact I.",
    ),
    *_coq("around the kernel", "compile", "compile", "exact (I <: False).", "cut True. trivial. trivial."),
    *_coq(
        "files and processes",
        "gate",
        "compile",
        'Redirect "stolen" Print nat.',
        'Load "other".',
        'Cd "/".',
        'Declare ML Module "evil".',
        'Extraction "x.ml" nat.',
        "Separate Extraction nat.",
        'Add LoadPath "/".',
        "Print LoadPath. exact foo.",
    ),
    *_coq("files and processes", "gate", "files", 'Redirect "stolen" Print nat. trivial.', statement=": True"),
    *_coq(
        "commands",
        "gate",
        "compile",
        "Notation x := I. exact x.",
        "Ltac f := admit. f.",
        "Local Open Scope nat_scope.",
        "Set Printing All. exact I.",
        "Unset Universe Checking. exact I.",
        "Section A. exact I.",
        "Module M. exact I.",
        "Instance i : True := I. exact I.",
        "Arguments nat. exact I.",
        "Hint Resolve I. auto.",
        "Import Nat. exact I.",
        "Eval compute in 1. exact I.",
        "Check I. exact I.",
        "Time exact I.",
        "Timeout 1 exact I.",
        "Fail exact I.",
        "Undo. exact I.",
        "Restart. exact I.",
        "Reset goal. exact I.",
        "Optimize Proof.",
        "Show. exact I.",
        "Canonical Structure x := 1. exact I.",
    ),
    *_coq(
        "text",
        "gate",
        "compile",
        "(* ",
        "trivial",
        'idtac "x". exact I.',
        "trivial.\u202e",
        "exact\u200b I.",
        "intros\x00.",
    ),
    *_coq("text", "compile", "compile", "{", "[foo]: exact I."),
    *_coq("itself", "compile", "compile", "exact goal.", "apply goal.", "fix f 1. exact f."),
    *_coq(
        "mistakes",
        "compile",
        "compile",
        "trivial.",
        "auto.",
        "lia.",
        "exact I.",
        "split.",
        "intros h. exact h.",
        "discriminate.",
        "contradiction.",
        "assumption.",
        "reflexivity.",
        "foo.",
        "exfalso.",
        "shelve.",
        "idtac.",
        "constructor.",
        "unfold not.",
        "cut False. auto.",
    ),
    *_coq(
        "mistakes",
        "compile",
        "compile",
        "reflexivity.",
        "lia.",
        "auto.",
        "simpl. reflexivity.",
        "apply Nat.add_comm.",
        statement=": 1 + 1 = 3",
    ),
    *_coq(
        "mistakes",
        "compile",
        "compile",
        "induction n. - reflexivity. - exact IHn.",
        "lia.",
        "- reflexivity.",
        statement="(n : nat) : n + 1 = 1 + n + n",
    ),
    *_coq("bombs", "limit", "limit", "repeat pose proof I.", "do 100000000 (pose proof I).", budget=_BOMB),
)

ATTACKS: tuple[Attack, ...] = (*LEAN, *COQ)
