"""The offline image: what goes into the tar file, and what does not. No daemon is needed."""

from __future__ import annotations

import io
import os
import tarfile
from pathlib import Path
from types import SimpleNamespace

import pytest

from proofgym.errors import BadInput
from proofgym.sandboxes import image
from proofgym.sandboxes.errors import IsolationUnavailable


@pytest.fixture(scope="module")
def members() -> dict[str, tarfile.TarInfo]:
    file = io.BytesIO()
    count = image.write_tree(file, ["pytest"])
    file.seek(0)
    with tarfile.open(fileobj=file) as tar:
        found = tar.getmembers()
    assert len({member.name for member in found}) == len(found), "docker import refuses a path that comes twice"
    assert count == sum(member.isfile() for member in found)
    return {member.name: member for member in found}


def test_everything_is_roots_and_readable_by_all(members: dict[str, tarfile.TarInfo]) -> None:
    for member in members.values():
        assert (member.uid, member.gid) == (0, 0)
        assert not member.mode & 0o6022 or member.name == "tmp" or member.issym(), member.name
        assert member.issym() or member.mode & 0o444 == 0o444, member.name


def test_every_directory_comes_before_what_is_in_it(members: dict[str, tarfile.TarInfo]) -> None:
    seen = {"."}
    for name, member in members.items():
        assert str(Path(name).parent) in seen, name
        if member.isdir():
            seen.add(name)


def test_interpreter_library_and_packages_are_there(members: dict[str, tarfile.TarInfo]) -> None:
    program = str(image.interpreter()).lstrip("/")
    assert members[program].mode & 0o111
    assert members["usr/local/bin/python3"].linkname == "/" + program
    library = str(Path(os.__file__).resolve().parent).lstrip("/")
    assert f"{library}/json/decoder.py" in members
    assert any(name.startswith(f"{library}/json/__pycache__/decoder.") for name in members)
    assert "opt/proofgym/site/pytest/__init__.py" in members
    assert "opt/proofgym/site/pluggy/__init__.py" in members, "what a package requires comes along"
    assert any("libc.so" in name or "ld-musl" in name for name in members)
    assert members["tmp"].mode == 0o1777


def test_nothing_of_the_host_or_of_ours_is_there(members: dict[str, tarfile.TarInfo]) -> None:
    library = str(Path(os.__file__).resolve().parent).lstrip("/")
    for name in members:
        assert not name.startswith((f"{library}/test/", f"{library}/site-packages/", "home/", "etc/shadow")), name
        assert "proofgym/sandboxes" not in name


def test_missing_package_is_refused_by_name() -> None:
    with pytest.raises(BadInput, match="no-such-package"):
        image.write_tree(io.BytesIO(), ["no-such-package"])


def test_image_without_a_daemon_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("docker.api")
    monkeypatch.setattr(image, "write_tree", lambda file, packages: file.write(b"x") and 0)
    with pytest.raises(IsolationUnavailable, match="could not be given to Docker"):
        image.build_image(base_url="unix:///no/such/socket")


@pytest.mark.parametrize(
    ("tag", "parts"),
    [
        ("a", ("a", "latest")),
        ("a:b", ("a", "b")),
        ("host:5000/a", ("host:5000/a", "latest")),
        ("host:5000/a:b", ("host:5000/a", "b")),
    ],
)
def test_tag_is_split_at_its_own_colon(tag: str, parts: tuple[str, str]) -> None:
    assert image._repository(tag) == parts


def test_libraries_are_found_in_what_ldd_prints(monkeypatch: pytest.MonkeyPatch) -> None:
    text = (
        "/usr/bin/x:\n\tlinux-vdso.so.1 (0x00007f)\n\tlibm.so.6 => /lib/libm.so.6 (0x00007f)\n"
        "\tlibn.so => not found\n\t/lib64/ld-linux-x86-64.so.2 (0x00007f)\n"
        "/y.so:\n\tlibo.so => /a/b/../libo.so (0x1)\n\tstatically linked\n"
    )
    monkeypatch.setattr(image.subprocess, "run", lambda *_, **__: SimpleNamespace(stdout=text))
    monkeypatch.setattr(image.shutil, "which", lambda _: "/usr/bin/ldd")
    assert image._linked(["/usr/bin/x"]) == {"/lib/libm.so.6", "/lib64/ld-linux-x86-64.so.2", "/a/libo.so"}
