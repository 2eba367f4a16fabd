"""What a server offers, and within which limits."""

from __future__ import annotations

import hashlib
import ipaddress
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from proofgym.errors import BadInput

__all__ = ["Settings"]

ARGUMENTS = ("split", "level", "max_turns")
"""Arguments of an environment that a client may choose. Others, such as a path, are the operator's."""


@dataclass(frozen=True, slots=True)
class Settings:
    """One server's configuration, checked when it is built.

    Args:
        envs: Full ids of the environments on offer.
        env_args: Arguments that every session's environment gets; a client cannot change these.
        client_args: Names of the arguments that a client may choose.
        host: Address to listen at. One that other machines can reach needs a token.
        port: 0 takes any free one.
        token: What clients present as `Authorization: Bearer TOKEN`; none is needed when it is empty.
        workers: Processes that hold the sessions; 0 keeps them in threads of the server itself.
        threads: How many calls one worker carries out at once.
        max_sessions: Live sessions, all workers together.
        ttl_s: Seconds without a call after which a session is closed.
        grace_s: The same for the sessions of a websocket that broke off; a client that comes back keeps them.
        max_body: Bytes of one request or websocket message.
        max_batch: Calls of one batch.
        step_timeout_s: Seconds of one call; what takes longer is unjudged.
        states: Whether clients may read an episode's state and its expert's answer. A state holds the answer.
        trust_states: Whether states that this server (or one with the same token) did not sign are restored.
    Raises:
        BadInput: For a limit that no server can keep, or an open address without a token.
    """

    envs: tuple[str, ...]
    env_args: Mapping[str, Any] = field(default_factory=dict)
    client_args: tuple[str, ...] = ARGUMENTS
    host: str = "127.0.0.1"
    port: int = 8000
    token: str = field(default="", repr=False)
    workers: int = 1
    threads: int = 8
    max_sessions: int = 1024
    ttl_s: float = 900.0
    grace_s: float = 60.0
    max_body: int = 1 << 20
    max_batch: int = 1024
    step_timeout_s: float = 120.0
    states: bool = True
    trust_states: bool = False

    def __post_init__(self) -> None:
        if not self.envs:
            raise BadInput("a server offers at least one environment")
        for name, least in (("threads", 1), ("max_sessions", 1), ("max_body", 1024), ("max_batch", 1), ("workers", 0)):
            if getattr(self, name) < least:
                raise BadInput(f"{name} is at least {least}, found {getattr(self, name)}")
        for name in ("ttl_s", "grace_s", "step_timeout_s"):
            if not 0 < getattr(self, name) <= 1e7:
                raise BadInput(f"{name} is a number of seconds above 0, found {getattr(self, name)}")
        if self.token and (len(self.token) < 16 or not self.token.isascii() or not self.token.isprintable()):
            raise BadInput("a token has at least 16 printable ASCII characters; `openssl rand -hex 32` makes one")
        if not self.token and not is_loopback(self.host):
            raise BadInput(
                f"{self.host} can be reached by other machines: give a token in PROOFGYM_TOKEN or with --token-file"
            )

    @property
    def signing_key(self) -> bytes:
        """What states are signed with: the same for servers that share a token, a new one without."""
        if not self.token:
            return _KEY
        return hashlib.sha256(b"proofgym state\0" + self.token.encode("ascii")).digest()


_KEY = secrets.token_bytes(32)


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach an address.

    >>> is_loopback("127.0.0.1"), is_loopback("::1"), is_loopback("localhost"), is_loopback("0.0.0.0")
    (True, True, True, False)
    """
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
