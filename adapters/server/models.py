"""What requests and replies look like: the API's vocabulary, checked by pydantic and shown by the OpenAPI page."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainValidator, WithJsonSchema

__all__ = ["REQUESTS", "Batch"]


def _text(value: object) -> str:
    """Any string, lone surrogates included, which pydantic's own type refuses: all that a policy writes is judged."""
    if not isinstance(value, str):
        raise ValueError(f"an action is text, found {type(value).__name__}")
    return value


Text = Annotated[str, PlainValidator(_text), WithJsonSchema({"type": "string"})]
SessionId = Annotated[str, Field(max_length=80, description="As `POST /v1/sessions` gave it.")]
Whole = BeforeValidator(lambda value: int(value) if isinstance(value, float) and value.is_integer() else value)
"""JSON knows one kind of number, so 3.0 is an integer there."""
Seed = Annotated[int, Field(ge=0, le=2**53), Whole]
Number = Annotated[
    int,
    Field(
        ge=1,
        le=2**53,
        description="A number for this call that rises with every call in its session. The last one again gets the "
        "same reply and plays nothing; without numbers, a repeated request is a second call.",
    ),
    Whole,
]
Key = Annotated[
    str,
    Field(pattern="^[0-9a-f]{16,64}$", description="Random; the same key again gives the same session, not another."),
]


class _Request(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class Create(_Request):
    """Make an environment; `reset` then asks the first task."""

    env: Annotated[str, Field(max_length=200, examples=["proofgym/Countdown-v0"])]
    args: Annotated[dict[str, Any], Field(default_factory=dict, description="Such as `split`, `level`, `max_turns`.")]
    key: Key | None = None


class Reset(_Request):
    """Ask the next task, the first of a seed, or the one that `options` names (`{"index": 3}`)."""

    seed: Seed | None = None
    options: dict[str, Any] | None = None
    call: Number | None = None


class Step(_Request):
    """Play one action: everything that the policy wrote in its turn."""

    action: Text
    call: Number | None = None


class Fork(_Request):
    """Copy the session in mid-episode."""

    key: Key | None = None


class Restore(_Request):
    """Take up where a state was taken."""

    state: dict[str, Any]
    call: Number | None = None


class Level(_Request):
    """Draw tasks of this difficulty from the next one on."""

    level: Annotated[float, Field(ge=0, le=1)]
    call: Number | None = None


class Nothing(_Request):
    """A call that needs no more than its session."""


class BatchCall(BaseModel):
    """One call of a batch: an operation, its session, and what the operation takes."""

    model_config = ConfigDict(extra="allow")
    op: Literal["create", "reset", "step", "fork", "state", "restore", "oracle", "level", "close", "show"]
    session: SessionId | None = None


class Batch(_Request):
    """Independent calls, carried out side by side; at most one a session."""

    calls: list[dict[str, Any]]


REQUESTS: dict[str, type[_Request]] = {
    "create": Create, "reset": Reset, "step": Step, "fork": Fork, "restore": Restore, "level": Level,
    "state": Nothing, "oracle": Nothing, "close": Nothing, "show": Nothing,
}  # fmt: skip


# Replies: for the OpenAPI page and for tests; the bytes come ready-made from where the session lives ------------------


class Environment(BaseModel):
    """What a client needs to know of an environment."""

    id: str
    domain: str
    summary: str
    max_turns: int | None
    observation_limit: Annotated[int, Field(description="Characters of an observation, at most.")]
    action_limit: Annotated[int, Field(description="Characters of an action that are read.")]
    family: str | None
    floor: Annotated[float | None, Field(description="What a policy earns that does not read the question.")]


class Environments(BaseModel):
    """What this server offers."""

    environments: list[Environment]
    client_args: list[str]


class Made(BaseModel):
    """A new session."""

    session: str
    call: int
    env: Environment


class Shown(Made):
    """A session, and in how many seconds it is closed unless somebody calls it."""

    expires_s: float


class Asked(BaseModel):
    """A first observation."""

    observation: str
    info: dict[str, Any]
    call: int


class Played(BaseModel):
    """What an action came to. `info` holds the verdict, the credits, the named terms of the reward."""

    observation: str
    reward: float
    terminated: bool
    truncated: bool
    info: dict[str, Any]
    call: int


class State(BaseModel):
    """Everything that `restore` needs, signed. It holds the answer."""

    state: dict[str, Any]


class Restored(BaseModel):
    """What the policy would read now."""

    observation: str
    call: int


class Levelled(BaseModel):
    """The level from now on."""

    level: float
    call: int


class Oracle(BaseModel):
    """What an expert would play."""

    action: str


class Closed(BaseModel):
    """The session that was closed."""

    closed: str


class BatchReply(BaseModel):
    """A reply: the status that the call alone would have had, and its body."""

    status: int
    body: dict[str, Any]


class Batched(BaseModel):
    """Replies in the order of the calls."""

    replies: list[BatchReply]


class ProblemDocument(BaseModel):
    """What is wrong, by RFC 9457. A problem never holds a reward."""

    type: Annotated[str, Field(examples=["urn:proofgym:unjudged"])]
    title: str
    status: int
    detail: str
