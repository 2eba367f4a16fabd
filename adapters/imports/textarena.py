"""TextArena's games for one player."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from proofgym.adapters.imports.base import Chance, Foreign, Imported, Reply, plain_state
from proofgym.errors import BadInput, need

__all__ = ["TextArena"]


class _Game(Foreign):
    copies: ClassVar[bool] = True

    def __init__(self, name: str, settings: Mapping[str, Any]) -> None:
        arena = need("textarena", "textarena")
        # Without the wrappers that repeat the whole history in every observation: here a turn shows what is new.
        raw = f"{name}-raw" if f"{name}-raw" in arena.envs.registration.ENV_REGISTRY else name
        self.chance = Chance()
        try:
            with self.chance.lent(0):
                self.game: Any = arena.make(raw, **settings)
        except Exception as error:  # games that lack files, keys or a newer Python say so each in a way of their own
            raise BadInput(f"TextArena does not make {name!r} with {dict(settings)}: {error}") from error

    def open(self, seed: int) -> str:
        with self.chance.lent(seed):
            try:
                self.game.reset(num_players=1, seed=seed)
            except AssertionError as error:
                raise BadInput(f"this game needs more than one player, and here is one: {error}") from error
            self.last = self._read()
        return self.last

    def content(self, first: str) -> Any:
        return [first, plain_state(getattr(self.game.state, "game_state", None))]

    def act(self, action: str) -> Reply:
        move = action if "[" in action else f"[{action.strip()}]"
        with self.chance.lent():
            done, _ = self.game.step(move)
            if not done:
                self.last = self._read()
                return Reply(self.last)
            rewards, info = self.game.close()
        reward = float((rewards or {}).get(0, 0.0))
        reason = str(info.get(0, {}).get("reason") or "")
        self.last = reason
        return Reply(reason, reward, terminated=True, solved=reward >= 1.0, reason=reason)

    def _read(self) -> str:
        player, messages = self.game.get_observation()
        if isinstance(messages, str):
            return messages
        return "\n".join(str(text) for sender, text, *_ in messages if sender != player)


class TextArena(Imported):
    """Plays a game of TextArena that has one player (`pip install 'proofgym[textarena]'`).

    Action: a move, in square brackets where the game asks for them (without any, the whole action is one).
    Reward: when the game ends, TextArena's own, in [-1, 1]; 1 is solved.

    Args:
        game: Its id there, such as `Wordle-v0`.
        settings: For its constructor.
    Raises:
        MissingExtra: If textarena is not installed.
        BadInput: If TextArena has no such game, or it needs more than one player.
    """

    family = "textarena"

    def __init__(
        self, *, game: str = "TowerOfHanoi-v0", settings: Mapping[str, Any] | None = None, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.game = game
        self._settings = dict(settings or {})
        _Game(game, self._settings).close()

    def settings(self) -> Mapping[str, Any]:
        return {"game": self.game, "settings": self._settings}

    def make_foreign(self, instance: Mapping[str, Any]) -> Foreign:
        game, settings = instance.get("game"), instance.get("settings")
        if not isinstance(game, str) or not isinstance(settings, Mapping):
            raise BadInput(f"an instance has 'game', 'settings' and 'seed', found {instance!r:.80}")
        return _Game(game, settings)
