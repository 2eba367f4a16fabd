"""The command line: what it prints, what it refuses and how, and that it starts at once."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import time
import types
from pathlib import Path
from typing import Any

import pytest

from proofgym import __main__ as cli
from proofgym.envs.registry import list_envs


@pytest.fixture(autouse=True)
def wide(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")


def stand_in(monkeypatch: pytest.MonkeyPatch, name: str, **members: Any) -> None:
    module = types.ModuleType(name)
    module.__dict__.update(members)
    monkeypatch.setitem(sys.modules, name, module)


def test_list_names_every_environment(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["list"]) == 0
    printed = capsys.readouterr().out
    assert all(entry.id in printed for entry in list_envs())
    assert cli.main(["list", "--json", "--domain", "puzzles"]) == 0
    listed = json.loads(capsys.readouterr().out)
    assert [entry["id"] for entry in listed] == [entry.id for entry in list_envs("puzzles")]


def test_show_prints_question_answer_and_verdict(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["show", "RunningTotal", "--set", "steps=4", "--seed", "3"]) == 0
    printed = capsys.readouterr().out
    for said in ("proofgym/RunningTotal-v0", "Observation:", "asks", "its expert answers", "reward +1", "correct"):
        assert said in printed


def test_play_takes_piped_lines_and_records(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("?\n1\n"))
    assert cli.main(["play", "RunningTotal", "--record", str(tmp_path / "mine.jsonl")]) == 0
    assert "the expert plays" in capsys.readouterr().out
    assert (tmp_path / "mine.jsonl").read_text().count("\n") == 1


def test_train_passes_its_arguments_on_and_says_where_the_report_is(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "summary.json").write_text("{}")
    seen: dict[str, Any] = {}

    def train(recipe: str, **rest: Any) -> Path:
        seen.update(rest, recipe=recipe)
        return tmp_path

    stand_in(monkeypatch, "proofgym.agents.recipe", train=train)
    assert cli.main(["train", "--set", "grpo.updates=20", "--set", "seed=1", "--run-dir", "here", "--resume"]) == 0
    assert seen == {
        "recipe": "demo", "overrides": ["grpo.updates=20", "seed=1"], "run_dir": Path("here"), "resume": True,
    }  # fmt: skip
    assert capsys.readouterr().out.strip() == str(tmp_path / "report.html")
    assert cli.main(["train", "other.yaml"]) == 0
    assert seen == {"recipe": "other.yaml", "overrides": (), "run_dir": None, "resume": False}


def test_eval_passes_its_arguments_on_and_prints_intervals(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from proofgym.bench.models import Client
    from proofgym.bench.summary import EnvResult

    (tmp_path / "config.json").write_text("{}")
    seen: dict[str, Any] = {}
    result = EnvResult("proofgym/Countdown-v0", 18, 2, 0.25, 0.125, 0.375, 0.2, 0.1, 0.4, 1.0, 12.0, 3.0, more_tasks=77)

    def evaluate(env_ids: list[str], model: str, **rest: Any) -> Any:
        seen.update(rest, env_ids=env_ids, model=model)
        return types.SimpleNamespace(results=[result], run_dir=tmp_path, notes=["worth knowing"])

    stand_in(monkeypatch, "proofgym.bench.evaluate", evaluate=evaluate)
    command = "eval Countdown proofgym/GSM8K-v0 --model smollm2 -n 20 -k 2 --data q.jsonl --set level=0.5 --set name=x"
    command += " --price 0.5,2 --rpm 30 --timeout 9 --retries 1 --key-env MY_KEY"
    assert cli.main(command.split()) == 0
    assert seen == {
        "env_ids": ["Countdown", "proofgym/GSM8K-v0"], "model": "smollm2", "n": 20, "k": 2, "seed": 0, "split": "test",
        "run_dir": None, "env_kwargs": {"level": 0.5, "name": "x", "path": "q.jsonl"}, "temperature": 0.0,
        "max_tokens": None, "batch_size": 16, "resume": False, "tools": False, "system": None,
        "client": Client("MY_KEY", 9.0, 1, 30.0, (0.5, 2.0)),
    }  # fmt: skip
    printed = capsys.readouterr().out
    says = ("Countdown-v0", "18", "2", "[0.125, 0.375]", "[0.100, 0.400]", "77 more tasks", "worth knowing")
    for said in (*says, str(tmp_path / "report.html")):
        assert said in printed


def test_view_prints_the_path_of_the_report(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"kind": "eval"}')
    assert cli.main(["view", str(tmp_path)]) == 0
    assert Path(capsys.readouterr().out.strip()).is_file()


def test_view_puts_runs_beside_each_other_and_serves_until_stopped(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "config.json").write_text('{"kind": "eval"}')
    both = [str(tmp_path / "a"), str(tmp_path / "b")]
    assert cli.main(["view", *both, "--out", str(tmp_path / "c.html")]) == 0
    assert "2 runs beside each other" in (tmp_path / "c.html").read_text()
    opened: list[str] = []
    monkeypatch.setattr("webbrowser.open", opened.append)

    def stop(self: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("socketserver.BaseServer.serve_forever", stop)
    capsys.readouterr()
    assert cli.main(["view", *both, "--serve", "--port", "0", "--open"]) == 0
    assert opened == [capsys.readouterr().out.split()[0]]
    assert opened[0].startswith("http://127.0.0.1:")
    assert cli.main(["view", *both, "--out", str(tmp_path / "no/where.html")]) == 2
    assert "cannot be written" in capsys.readouterr().err


def test_doctor_finds_what_is_here(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["doctor", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert {check["group"] for check in found} >= {"core", "extras", "sandboxes", "provers", "accelerators", "models"}
    assert all(check["get"] or check["found"] or check["name"] == "nvidia gpu" for check in found)
    assert cli.main(["doctor"]) == 0
    assert "user namespaces" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("command", "says"),
    [
        (["show", "proofgym/Sudoko4-v0"], "did you mean 'proofgym/Sudoku4-v0'?"),
        (["eval", "Sudokoo", "--model", "oracle"], "no environment 'Sudokoo'"),
        (["list", "--domain", "poetry"], "there are code, imports, math, "),
        (["view", "nowhere"], "there is no such directory"),
        (["show", "Countdown", "--set", "level"], "--set takes KEY=VALUE, found 'level'"),
        (["show", "Countdown", "--set", "level=[1"], "no YAML"),
        (["train", "--set", "level"], "--set takes KEY=VALUE"),
        (["play", "Countdown", "--set", "level=7"], "level lies in [0, 1]"),
        (["show"], "Missing argument"),
        (["show", "--bad"], "--bad"),
        (["sing"], "sing"),
        (["eval", "Countdown"], "--model"),
        (["eval", "Countdown", "--model", "gpt"], "no model 'gpt'"),
        (["eval", "Countdown", "--model", "api:m@ftp://x"], "an http or https address"),
        (["eval", "Countdown", "--model", "oracle", "--price", "free"], "--price takes IN,OUT"),
        (["eval", "Countdown", "--model", "oracle", "--price=-1,2"], "at least 0"),
        (["eval", "Countdown", "--model", "oracle", "-n", "many"], "valid integer"),
    ],
)
def test_a_mistaken_request_gets_one_clear_sentence(
    command: list[str], says: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    stand_in(monkeypatch, "proofgym.agents.recipe", train=None)
    assert cli.main(command) == 2
    printed = capsys.readouterr()
    assert says in printed.err
    assert not printed.out
    assert "Traceback" not in printed.err


@pytest.mark.parametrize(
    ("raised", "says"), [("", "nothing was written"), ("12 episodes are in runs/x", "12 episodes")]
)
def test_ctrl_c_says_what_was_saved(
    raised: str, says: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def stopped(*args: Any, **kwargs: Any) -> Any:
        raise KeyboardInterrupt(*([raised] if raised else []))

    monkeypatch.chdir(tmp_path)
    stand_in(monkeypatch, "proofgym.agents.recipe", train=stopped)
    stand_in(monkeypatch, "proofgym.bench.evaluate", evaluate=stopped)
    assert cli.main(["eval", "Countdown", "--model", "oracle"]) == 130
    assert says in capsys.readouterr().err
    assert cli.main(["train"]) == 130
    assert says in capsys.readouterr().err
    (tmp_path / "runs/demo").mkdir(parents=True)
    assert cli.main(["train"]) == 130
    assert (raised or "what was reached is in runs/demo") in capsys.readouterr().err


@pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX signals")
def test_ctrl_c_in_a_game_exits_130_without_a_traceback() -> None:
    # A shell that starts us in the background has us ignore the signal; the handler is put back first.
    code = (
        "import signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler); "
        "from proofgym.__main__ import main; sys.exit(main(['play', 'RunningTotal']))"
    )
    command = [sys.executable, "-c", code]
    game = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert game.stdout is not None
    while b"running total" not in game.stdout.readline():
        assert game.poll() is None
    time.sleep(0.3)
    game.send_signal(signal.SIGINT)
    _, errors = game.communicate(timeout=20)
    assert game.returncode == 130
    assert b"Traceback" not in errors


def test_sub_apps_are_listed_without_being_loaded(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "lazily_mounted.py").write_text(
        "import typer\napp = typer.Typer()\n"
        "@app.command()\ndef check(depth: int = 1):\n    'Look.'\n    print('looked', depth)\n"
        "@app.command()\ndef clean():\n    raise typer.Exit(1)\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setitem(cli.SUB_APPS, "cellar", cli.SubApp("lazily_mounted:app", "What lies below."))
    assert cli.main(["--help"]) == 0
    assert "What lies below." in capsys.readouterr().out
    assert "lazily_mounted" not in sys.modules
    assert cli.main(["cellar", "check", "--depth", "3"]) == 0
    assert capsys.readouterr().out == "looked 3\n"
    assert cli.main(["cellar", "clean"]) == 1
    assert cli.main(["cellar", "--help"]) == 0
    assert "check" in capsys.readouterr().out
    sys.modules.pop("lazily_mounted")


def test_help_loads_nothing_heavy() -> None:
    code = (
        "import sys; from proofgym.__main__ import main; main(['--help']); "
        "heavy = {'torch', 'transformers', 'scipy', 'matplotlib', 'jinja2', 'sympy', 'yaml'}; "
        "sys.exit(', '.join(heavy & set(sys.modules)) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "doctor" in done.stdout


def test_version_and_console_script() -> None:
    script = Path(sys.executable).with_name("proofgym")
    command = [str(script)] if script.exists() else [sys.executable, "-m", "proofgym"]
    done = subprocess.run([*command, "--version"], capture_output=True, text=True, check=False, env={**os.environ})
    assert done.stdout.startswith("proofgym ")
    assert done.returncode == 0
