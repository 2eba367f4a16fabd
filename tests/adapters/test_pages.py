"""The examples in docs/adapters are run, and what they print is what the page says."""

from __future__ import annotations

import contextlib
import importlib.util
import io
import re
import shlex
from pathlib import Path
from typing import Any

import pytest

PAGES = Path(__file__).resolve().parents[2] / "docs" / "adapters"
HAVE_TORCH = importlib.util.find_spec("torch") is not None


def blocks(page: str) -> list[tuple[str, str]]:
    """(language, content) of every block."""
    return re.findall(r"```(\w+)\n(.*?)```", (PAGES / page).read_text(encoding="utf-8"), re.DOTALL)


def run(page: str, number: int = 0, **names: Any) -> str:
    """Run a page's nth Python block and return what it prints."""
    code = [content for language, content in blocks(page) if language == "python"][number]
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(code, f"{page}[{number}]", "exec"), {"__name__": "page", **names})
    return printed.getvalue()


def promised(page: str, number: int = 0) -> str:
    """What stands in the text block right after a page's nth Python block."""
    found = blocks(page)
    at = [i for i, (language, _) in enumerate(found) if language == "python"][number]
    assert found[at + 1][0] == "text"
    return found[at + 1][1]


def test_the_verl_page() -> None:
    assert run("verl.md") == promised("verl.md")


@pytest.mark.skipif(not HAVE_TORCH, reason="needs torch")
def test_the_openrlhf_page(monkeypatch: pytest.MonkeyPatch) -> None:
    from proofgym.adapters import openrlhf

    assert run("openrlhf.md") == promised("openrlhf.md")
    serve = openrlhf.serve
    monkeypatch.setattr(openrlhf, "serve", lambda host, _: serve(host, 0))
    assert "reward server at http://127.0.0.1:" in run("openrlhf.md", 1)


def test_the_index_page() -> None:
    printed = run("index.md")
    assert printed.startswith("Every row")
    assert printed.splitlines()[-1].split()[1:3] == ["False", "None"]


def test_the_export_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("pyarrow")
    from proofgym.__main__ import main

    monkeypatch.chdir(tmp_path)
    command = shlex.split(blocks("export.md")[0][1].replace("10000", "20"))
    assert command[0] == "proofgym"
    assert main(command[1:]) == 0
    assert "train.parquet: 20 rows, 20 different tasks" in capsys.readouterr().out


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_the_skyrl_page(real: Any) -> None:
    real("skyrl_gym")
    assert run("skyrl.md") == promised("skyrl.md")


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_the_nemo_page(real: Any) -> None:
    real("nemo_gym")
    run("nemo-gym.md")


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_the_openrlhf_agent(real: Any) -> None:
    real("openrlhf.utils.agent")
    run("openrlhf.md", 2)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("number", [0, 1, 2], ids=["reward_funcs", "environment_factory", "rollout_func"])
def test_the_trl_page(real: Any, tiny: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    trl = real("trl")
    monkeypatch.chdir(tmp_path)
    config = trl.GRPOConfig
    here = {"use_cpu": True, "bf16": False, "report_to": "none", "save_strategy": "no", "logging_steps": 1}
    monkeypatch.setattr(trl, "GRPOConfig", lambda *args, **kwargs: config(*args, **kwargs, **here))
    template = Path(trl.__file__).parent / "chat_templates" / "qwen3_instruct_2507.jinja"
    made = tiny(template.read_text(encoding="utf-8")) if number == 1 else tiny()
    made.model.save_pretrained(tmp_path / "model")
    made.tokenizer.save_pretrained(tmp_path / "model")
    run("trl.md", number, MODEL=str(tmp_path / "model"))
