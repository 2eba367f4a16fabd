"""`proofgym lean` and `proofgym verify proof`, and the doors of the module."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from proofgym.__main__ import main
from proofgym.errors import BadInput
from proofgym.verifiers import proof


def test_a_toy_proof_is_judged_from_the_shell(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    good = tmp_path / "good"
    good.write_text("intro h\nexact h\n", encoding="utf-8")
    arguments = ["verify", "proof", "--prover", "toy", "--statement", "p -> p", "--proof", str(good)]
    assert main(arguments) == 0
    assert capsys.readouterr().out.startswith("correct")
    good.write_text("intro h\n", encoding="utf-8")
    assert main([*arguments, "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["layer"] == "compile"
    assert main([*arguments[:4], "--statement", "p ->", "--proof", str(good)]) == 2
    assert "refused" in capsys.readouterr().err


def test_a_missing_prover_is_exit_code_3(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(*_: Any, **__: Any) -> Any:
        raise proof.ProverMissing("no Lean is here")

    monkeypatch.setattr(proof, "examine", missing)
    path = tmp_path / "p"
    path.write_text("rfl", encoding="utf-8")
    assert main(["verify", "proof", "--statement", ": 1 = 1", "--proof", str(path)]) == 3
    assert "unjudged: no Lean" in capsys.readouterr().out


@pytest.mark.lean
def test_lean_is_set_up_and_examined_from_the_shell(lean: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["lean", "setup"]) == 0
    assert main(["lean", "doctor", "--json"]) == 0
    told = json.loads(capsys.readouterr().out.split("\n", 1)[1])
    assert told["fine"]
    assert told["refuses_a_hole"]


def test_the_doors() -> None:
    assert proof.check("p -> p", "intro h\nexact h", prover="toy").correct
    assert not proof.check("p -> q", "intro h\nexact h", prover="toy").correct
    assert proof.missing("toy") == ""
    with pytest.raises(BadInput, match="provers are"):
        proof.backend("hol")


def test_importing_the_module_starts_and_imports_nothing_heavy() -> None:
    code = (
        "import sys, proofgym.verifiers.proof, proofgym.envs.prover.lean, proofgym.envs.prover.coq\n"
        "print(sorted({'torch', 'sympy', 'networkx', 'matplotlib', 'proofgym.sandboxes.pool'} & set(sys.modules)))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"
