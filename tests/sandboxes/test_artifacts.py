"""Which files a pattern means, and what is never read."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from proofgym.sandboxes import artifacts


@pytest.mark.parametrize(
    ("path", "pattern", "matches"),
    [
        ("a.txt", "*.txt", True),
        ("d/a.txt", "*.txt", False),
        ("d/a.txt", "**/*.txt", True),
        ("a.txt", "**/*.txt", True),
        ("d/e/f/a.txt", "d/**", True),
        ("d/e/f/a.txt", "d/**/a.*", True),
        ("d/e/f/a.txt", "e/**", False),
        ("d", "d/**", True),
        ("a" * 200, "*a" * 3 + "b", False),
    ],
)
def test_star_stays_in_a_folder_and_two_cross_them(path: str, pattern: str, matches: bool) -> None:
    assert artifacts._match(path.split("/"), pattern.split("/")) is matches


def test_only_regular_files_beneath_are_read(tmp_path: Path) -> None:
    top = tmp_path / "top"
    (top / "d").mkdir(parents=True)
    (tmp_path / "secret").write_text("secret")
    (top / "good").write_text("good")
    (top / "d/deep").write_text("deep")
    (top / "link").symlink_to(tmp_path / "secret")
    (top / "up").symlink_to("..")
    (top / "inner").symlink_to("good")
    os.mkfifo(top / "pipe")
    with socket.socket(socket.AF_UNIX) as end:
        end.bind(str(top / "sock"))
    fd = os.open(top, os.O_RDONLY)
    try:
        names = ["*", "**", "link", "up/secret", "../secret", "/etc/passwd", "pipe", "sock", "inner", "d", "absent"]
        assert [(name, data) for name, data, _ in artifacts.collect(fd, names)] == [
            ("d/deep", b"deep"),
            ("good", b"good"),
        ]
    finally:
        os.close(fd)


def test_sizes_and_numbers_are_capped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(20):
        (tmp_path / f"{number:02}").write_bytes(b"x" * 10)
    monkeypatch.setattr(artifacts, "MOST_FILES", 5)
    monkeypatch.setattr(artifacts, "MOST_FILE_BYTES", 8)
    monkeypatch.setattr(artifacts, "MOST_BYTES", 30)
    fd = os.open(tmp_path, os.O_RDONLY)
    try:
        found = list(artifacts.collect(fd, ["*"]))
    finally:
        os.close(fd)
    assert [(name, len(data), truncated) for name, data, truncated in found] == [
        ("00", 8, True), ("01", 8, True), ("02", 8, True), ("03", 6, True), ("04", 0, True),
    ]  # fmt: skip
