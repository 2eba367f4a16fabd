"""Our environments as resources servers of NeMo Gym: `/verify` for one answer, `/reset` and `/step` for many turns.

A row's column `proofgym` names the item (`proofgym export --format nemo`); NeMo Gym hands it back with the policy's
response. Rewards are summed over an episode by its agents, and that is said once.

What nobody could judge: `/verify` answers with `mask_sample`, which excludes the sample, and a failure kind and reason
beside it (a reward must be a number there, so 0.0 stands in a field that is masked). A NeMo Gym without that field, and
`/step`, whose reply has none, get an HTTP error, by which the rollout is listed among the failures. Written against
NeMo Gym 0.7; no version is pinned, and it is imported where a class is first used.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from proofgym.adapters.episode import Episode
from proofgym.adapters.rows import Row, judge_row
from proofgym.adapters.said import said_once
from proofgym.errors import BadInput, MissingExtra, Unjudged

# `ProofgymVerifyServer` and `ProofgymGymnasiumServer` belong here too; they are made when first asked for, at the end.
__all__ = ["row_of", "text_of"]

_SESSIONS = 4096  # live episodes of one server; the oldest is closed when another comes


def row_of(metadata: Mapping[str, Any]) -> Row:
    """The row in a request's extra columns, or in their `proofgym` or `verifier_metadata`."""
    for name in ("proofgym", "verifier_metadata"):
        inner = metadata.get(name)
        if isinstance(inner, Mapping) and "env" in inner:
            return Row.from_json(inner)
    return Row.from_json(metadata)


def text_of(response: Any) -> str:
    """What the policy wrote: the texts of the last message of an OpenAI response object; reasoning is not an answer."""
    messages = [item for item in _get(response, "output") or () if _get(item, "type") == "message"]
    if not messages:
        return ""
    content = _get(messages[-1], "content")
    if isinstance(content, str):
        return content
    return "".join(str(_get(part, "text") or "") for part in content or () if _get(part, "type") == "output_text")


def _get(item: Any, name: str) -> Any:
    return item.get(name) if isinstance(item, Mapping) else getattr(item, name, None)


def _lost(env: str, paid: int) -> None:
    if paid > 1:
        said_once("nemo.scalar", f"NeMo Gym takes one scalar an episode: {paid} step rewards of {env} were summed")


def _missing(error: ImportError) -> MissingExtra:
    return MissingExtra(f"NeMo Gym is not installed; `pip install nemo-gym` brings it ({error})")


def _verify_server() -> type:
    """Make the server of single answers over NeMo Gym's base class."""
    try:
        from nemo_gym.base_resources_server import BaseVerifyRequest, BaseVerifyResponse, SimpleResourcesServer
        from pydantic import ConfigDict
    except ImportError as error:
        raise _missing(error) from error

    class ProofgymVerifyRequest(BaseVerifyRequest):  # type: ignore[misc]
        """A response with the row's own columns beside it."""

        model_config = ConfigDict(extra="allow")

    class ProofgymVerifyResponse(BaseVerifyResponse):  # type: ignore[misc]
        """The reward, why, and what is known of the task."""

        model_config = ConfigDict(extra="allow")

    class ProofgymVerifyServer(SimpleResourcesServer):  # type: ignore[misc]
        """Judges single answers."""

        async def verify(self, body: ProofgymVerifyRequest) -> ProofgymVerifyResponse:
            """Judge the response to a row.

            Raises:
                Unjudged: If nobody could judge it and this NeMo Gym knows no `mask_sample`.
            """
            row = row_of(body.model_extra or {})
            outcome = await asyncio.to_thread(judge_row, row, text_of(body.response))
            _lost(row.env, len(outcome.credits))
            fields = body.model_dump()
            if outcome.unjudged is not None:
                if "mask_sample" not in BaseVerifyResponse.model_fields:
                    raise Unjudged(
                        f"{row.env} could not be judged, and this NeMo Gym has no mask_sample: {outcome.unjudged}"
                    )
                fields |= {
                    "reward": 0.0,
                    "mask_sample": True,
                    "failure_kind": "proofgym:unjudged",
                    "failure_reason": outcome.unjudged[:2000],
                }
                return ProofgymVerifyResponse(**fields)
            verdict = outcome.verdict.to_json() if outcome.verdict else None
            return ProofgymVerifyResponse(**{**fields, "reward": outcome.reward, "verdict": verdict})

    # The web framework reads annotations from the module's names; these classes are local to this function.
    ProofgymVerifyServer.verify.__annotations__ = {"body": ProofgymVerifyRequest, "return": ProofgymVerifyResponse}
    return _named(ProofgymVerifyServer)


def _gymnasium_server() -> type:
    """Make the server of episodes over NeMo Gym's base class."""
    try:
        from resources_servers.gymnasium import GymnasiumServer
    except ImportError as error:
        raise _missing(error) from error

    class ProofgymGymnasiumServer(GymnasiumServer):  # type: ignore[misc]
        """Plays episodes, one for each session; use it with `gymnasium_agent` and its `max_steps` set."""

        async def reset(
            self, metadata: dict[str, Any], session_id: str | None = None
        ) -> tuple[str | None, dict[str, Any]]:
            """Ask the row's item; the row's prompt shows it, so nothing is added, unless the row says `"ask": true`.

            Raises:
                Unjudged: If the item could not be asked.
            """
            row = row_of(metadata)
            self._cleanup_session(session_id)
            while len(self.session_state) >= _SESSIONS:
                self._cleanup_session(next(iter(self.session_state)))
            episode = await asyncio.to_thread(Episode, row.env, **row.kwargs)
            self.session_state[session_id] = episode
            observation = await asyncio.to_thread(episode.start, row.seed, row.index)
            episode.expect(row.fingerprint)
            return observation if metadata.get("ask") else None, {"task": episode.task}

        async def step(
            self, action: Any, metadata: dict[str, Any], session_id: str | None = None
        ) -> tuple[str | None, float, bool, bool, dict[str, Any]]:
            """Play what the policy wrote last.

            Raises:
                Unjudged: If nobody could judge it: a step's reply has no mask, so the rollout fails.
                BadInput: If the session has no episode.
            """
            episode = self.session_state.get(session_id)
            if episode is None:
                raise BadInput("this session has no episode: /reset comes before /step, and a finished one is gone")
            outcome = await asyncio.to_thread(episode.act, text_of(action))
            if outcome.unjudged is not None:
                self._cleanup_session(session_id)
                raise Unjudged(f"{episode.name} could not be judged, and a step has no mask: {outcome.unjudged}")
            if outcome.done:
                _lost(episode.name, episode.paid)
            info = {
                "credits": [credit.to_json() for credit in outcome.credits],
                "verdict": outcome.verdict.to_json() if outcome.verdict else None,
            }
            observation = None if outcome.done else outcome.observation
            return observation, outcome.reward, outcome.done and not outcome.truncated, outcome.truncated, info

        def _cleanup_session(self, session_id: str | None) -> None:
            episode = self.session_state.get(session_id)
            if episode is not None:
                episode.close()
            super()._cleanup_session(session_id)

    return _named(ProofgymGymnasiumServer)


def _named(made: type) -> type:
    made.__module__, made.__qualname__ = __name__, made.__name__
    return made


_MAKERS = {"ProofgymVerifyServer": _verify_server, "ProofgymGymnasiumServer": _gymnasium_server}


def __getattr__(name: str) -> Any:
    """The two servers, made when first asked for, since their bases are NeMo Gym's."""
    if name not in _MAKERS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    made = globals()[name] = _MAKERS[name]()
    return made
