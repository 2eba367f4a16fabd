"""The files for containers and clusters: valid by their own schemas, and in step with the command line."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

import proofgym
from proofgym.__main__ import main

ROOT = Path(__file__).resolve().parents[3]
KUBERNETES = list(yaml.safe_load_all((ROOT / "deploy/kubernetes.yaml").read_text("utf-8")))
COMPOSE = yaml.safe_load((ROOT / "docker/compose.yaml").read_text("utf-8"))


def of_kind(kind: str) -> dict[str, Any]:
    (found,) = (manifest for manifest in KUBERNETES if manifest["kind"] == kind)
    assert isinstance(found, dict)
    return found


def container() -> dict[str, Any]:
    (found,) = of_kind("Deployment")["spec"]["template"]["spec"]["containers"]
    assert isinstance(found, dict)
    return found


def test_the_parts_of_the_manifest_fit_together() -> None:
    labels = of_kind("Deployment")["spec"]["template"]["metadata"]["labels"]
    assert of_kind("Service")["spec"]["selector"] == labels
    for kind in ("Deployment", "PodDisruptionBudget"):
        assert of_kind(kind)["spec"]["selector"]["matchLabels"] == labels
    assert of_kind("NetworkPolicy")["spec"]["podSelector"]["matchLabels"] == labels
    pod = of_kind("Deployment")["spec"]["template"]["spec"]
    volumes = {volume["name"] for volume in pod["volumes"]}
    assert {mount["name"] for mount in container()["volumeMounts"]} == volumes
    for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
        assert container()[probe]["httpGet"]["path"] in ("/health/ready", "/health/live")


@pytest.mark.parametrize("arguments", [container()["args"], COMPOSE["services"]["server"]["command"]])
def test_their_commands_are_ones_that_the_command_line_takes(
    arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = tmp_path / "token"
    token.write_text("t" * 32)
    taken = [str(token) if "/run/secrets" in argument else argument for argument in arguments]
    run: list[Any] = []
    monkeypatch.setattr("proofgym.adapters.server.serve", lambda settings, **_: run.append(settings))
    assert main(["serve", "--host", "0.0.0.0", *taken]) == 0
    assert run[0].envs == ("proofgym/Countdown-v0", "proofgym/Sudoku4Steps-v0")
    assert run[0].token == "t" * 32


def test_containers_are_walled_in_and_hold_no_token() -> None:
    security = container()["securityContext"]
    assert not security["allowPrivilegeEscalation"]
    assert security["readOnlyRootFilesystem"]
    assert security["capabilities"] == {"drop": ["ALL"]}
    service = COMPOSE["services"]["server"]
    assert service["read_only"]
    assert service["cap_drop"] == ["ALL"]
    assert all(port.startswith("127.0.0.1:") for port in service["ports"])
    image = (ROOT / "docker/Dockerfile.server").read_text("utf-8")
    assert "USER 65532" in image
    copied = (ROOT / "docker/Dockerfile.server.dockerignore").read_text("utf-8").split()
    needed = {path.resolve().name for path in (ROOT / "src/proofgym").iterdir() if path.is_symlink()}
    assert {f"!{name}" for name in needed} <= set(copied)


def test_the_manifest_is_valid_by_the_schema_of_kubernetes() -> None:
    validate = pytest.importorskip("kubernetes_validate")
    for manifest in KUBERNETES:
        validate.validate(manifest, "1.30", strict=True)


@pytest.mark.slow
def test_the_compose_file_is_valid_by_its_specification() -> None:
    pytest.importorskip("check_jsonschema")
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec"]
    done = subprocess.run([*command, str(ROOT / "docker/compose.yaml")], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_shellcheck_finds_nothing_in_the_script_for_slurm() -> None:
    tool = shutil.which("shellcheck", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    if tool is None:
        pytest.skip("shellcheck is not installed")
    done = subprocess.run([tool, str(ROOT / "deploy/slurm.sh")], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_the_script_for_slurm_serves_and_ends_in_order(tmp_path: Path) -> None:
    """With stand-ins for Slurm's own commands, on one node."""
    tools = tmp_path / "bin"
    tools.mkdir()
    stands = {
        "srun": 'shift; exec "$@"', "scontrol": "echo 127.0.0.1",
        "proofgym": f'exec "{sys.executable}" -m proofgym "$@"',
    }  # fmt: skip
    for name, body in stands.items():
        (tools / name).write_text(f"#!/bin/bash\n{body}\n")
        (tools / name).chmod(0o755)
    token = tmp_path / "token"
    token.write_text("t" * 32)
    urls = tmp_path / "urls.txt"
    environment = {
        **os.environ, "PATH": f"{tools}{os.pathsep}{os.environ['PATH']}", "PROOFGYM_TOKEN_FILE": str(token),
        "PROOFGYM_URLS": str(urls), "PROOFGYM_PORT": "18733", "SLURM_JOB_NODELIST": "node", "SLURM_CPUS_PER_TASK": "1",
    }  # fmt: skip
    command = ["bash", str(ROOT / "deploy/slurm.sh")]
    assert subprocess.run(command, env=environment, check=False, capture_output=True).returncode == 2
    process = subprocess.Popen([*command, "Countdown"], env=environment, stdout=subprocess.PIPE, text=True)
    try:
        deadline = time.monotonic() + 60
        while not urls.exists():
            assert time.monotonic() < deadline
            assert process.poll() is None
            time.sleep(0.1)
        (url,) = urls.read_text().split()
        env = proofgym.connect(url, "t" * 32)
        env.reset(seed=1)
        assert env.step(env.oracle())[1] == 1.0
        env.close()
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)
        assert not urls.exists()
        with pytest.raises(httpx.ConnectError):
            httpx.get(f"{url}/health/live", trust_env=False)
    finally:
        process.kill()
        process.communicate()
