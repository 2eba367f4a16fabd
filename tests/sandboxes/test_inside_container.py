"""Where most people meet the reduced tier: inside a container with Docker's defaults, which allows no namespaces."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

CODE = """
import json
from proofgym.sandboxes import Isolation, conformance, probe
from proofgym.sandboxes.embedded import EmbeddedBackend
tiers = {tier.isolation.label: [tier.works, tier.reason, tier.cure] for tier in probe.probe().tiers}
names = [n for n in conformance.CLAIMS if not n.startswith("resource: ") or "fork" in n or "memory" in n]
report = conformance.check(EmbeddedBackend(Isolation.REDUCED), only=names)
print(json.dumps({"tiers": tiers, "ok": report.ok, "text": str(report)}))
"""


def _unless(condition: bool, reason: str) -> None:
    if not condition:
        (pytest.fail if os.environ.get("REQUIRE_DOCKER") == "1" else pytest.skip)(reason)


@pytest.mark.docker
@pytest.mark.skipif(os.geteuid() != 0, reason="the interpreter may lie where only root can show it")
def test_reduced_keeps_its_promises_inside_a_default_container() -> None:
    try:
        from proofgym.sandboxes.image import IMAGE, build_image

        build_image()
    except Exception as error:  # whatever it is, there is no image to run in
        _unless(False, f"no Docker image: {error}")
    here = Path(__file__).resolve().parents[2]
    places = dict.fromkeys(map(str, ("/usr", "/lib", "/lib64", Path(sys.base_prefix).resolve(), sys.prefix, here)))
    binds = [word for place in places if Path(place).exists() for word in ("-v", f"{place}:{place}:ro")]
    command = ["docker", "run", "--rm", "--network", "none", *binds, IMAGE, sys.executable, "-c", CODE]
    done = subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    found = json.loads(done.stdout)
    assert found["tiers"]["reduced"][0], found["tiers"]
    assert not found["tiers"]["namespaced"][0]
    assert "not permitted" in found["tiers"]["namespaced"][1]
    assert found["tiers"]["namespaced"][2], "no cure is named"
    assert found["ok"], found["text"]
