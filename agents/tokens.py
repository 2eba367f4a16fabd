"""From text to tokens and back, without ever making a sampled token again.

A `Format` knows how a turn is framed: which tokens open the first turn, which stand between a sampled action and the
next, and which end an action. The context of an episode only grows by appending, so the ids a policy is trained on are
the ids it sampled.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

from proofgym.errors import BadInput

__all__ = ["CharFormat", "ChatFormat", "Format"]


class Format(Protocol):
    """How turns become tokens."""

    pad_id: int
    stop_ids: frozenset[int]

    def open(self, observation: str) -> list[int]:
        """The context before the first action."""
        ...

    def between(self, observation: str, action_ids: Sequence[int]) -> list[int]:
        """What is appended after an action, up to where the next one begins."""
        ...

    def encode_action(self, text: str) -> list[int]:
        """The tokens of an action that somebody else wrote, its end-of-turn token included."""
        ...

    def decode(self, ids: Sequence[int]) -> tuple[str, list[int]]:
        """The text of sampled ids, and how many of its characters are written after each of them."""
        ...

    def save(self, folder: Path) -> None:
        """Write what `load` needs into a model's folder."""
        ...


class CharFormat:
    """One token a character, for models small enough to train in a minute on a CPU.

    >>> form = CharFormat("0123456789")
    >>> form.open("12")
    [1, 6, 7, 2]
    >>> form.decode([6, 7, 3])
    ('12', [1, 2, 2])
    """

    FILE = "proofgym_format.json"
    PAD, OBSERVATION, ACTION, END, UNKNOWN = range(5)

    def __init__(self, alphabet: str) -> None:
        if len(set(alphabet)) != len(alphabet) or not alphabet:
            raise BadInput("an alphabet is a non-empty string without repeated characters")
        self.alphabet = alphabet
        self.pad_id = self.PAD
        self.stop_ids = frozenset({self.END})
        self._ids = {character: 5 + i for i, character in enumerate(alphabet)}

    @property
    def vocabulary_size(self) -> int:
        """How many ids there are, the five special ones included."""
        return 5 + len(self.alphabet)

    def open(self, observation: str) -> list[int]:
        """`<observation>` text `<action>`."""
        return [self.OBSERVATION, *self._encode(observation), self.ACTION]

    def between(self, observation: str, action_ids: Sequence[int]) -> list[int]:
        """The end token, if the action was cut before it, then the next observation."""
        ended = bool(action_ids) and action_ids[-1] == self.END
        return [*([] if ended else [self.END]), *self.open(observation)]

    def encode_action(self, text: str) -> list[int]:
        """One id a character, then the end token."""
        return [*self._encode(text), self.END]

    def decode(self, ids: Sequence[int]) -> tuple[str, list[int]]:
        """Special ids are silent, except the unknown one, which shows as U+FFFD."""
        text, ends = "", []
        for i in ids:
            text += self.alphabet[i - 5] if i >= 5 else ("�" if i == self.UNKNOWN else "")
            ends.append(len(text))
        return text, ends

    def save(self, folder: Path) -> None:
        """Write the alphabet."""
        (folder / self.FILE).write_text(json.dumps({"alphabet": self.alphabet}), encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> CharFormat:
        """Read what `save` wrote."""
        return cls(json.loads((folder / cls.FILE).read_text(encoding="utf-8"))["alphabet"])

    def _encode(self, text: str) -> list[int]:
        return [self._ids.get(character, self.UNKNOWN) for character in text]


class ChatFormat:
    """A pretrained model's own chat template, split into the pieces that stand around an observation.

    The template is rendered once, with markers; later turns append the piece between an action and an observation.
    Nothing is rendered twice, so a template that strips or rewrites old turns cannot change tokens that were sampled.
    An observation's text is encoded without special tokens: text from the world cannot pretend to end a turn.

    Args:
        tokenizer: A transformers tokenizer.
        system: A system message to put first.
    Raises:
        BadInput: If the tokenizer has no end-of-turn token, or its template loses what it is given.
    """

    def __init__(self, tokenizer: Any, system: str | None = None) -> None:
        self.tokenizer = tokenizer
        if tokenizer.eos_token_id is None:
            raise BadInput("the tokenizer has no end-of-sequence token, so no turn could end")
        self.pad_id = tokenizer.pad_token_id if tokenizer.pad_token_id is not None else tokenizer.eos_token_id
        self._prefix, self._middle, self._suffix = self._pieces(system)
        self._stop = self._stop_text()
        self.stop_ids = frozenset({int(tokenizer.eos_token_id), *([self._stop[0]] if len(self._stop) == 1 else [])})

    def open(self, observation: str) -> list[int]:
        """The template's opening, the observation, and the start of the assistant's turn."""
        return [*self._special(self._prefix), *self._plain(observation), *self._special(self._suffix)]

    def between(self, observation: str, action_ids: Sequence[int]) -> list[int]:
        """What the template puts between an assistant's text and the next one."""
        middle = self._special(self._middle)
        if action_ids and action_ids[-1] in self.stop_ids and middle and middle[0] in self.stop_ids:
            middle = middle[1:]
        return [*middle, *self._plain(observation), *self._special(self._suffix)]

    def encode_action(self, text: str) -> list[int]:
        """The text's tokens and the end of the turn."""
        middle = self._special(self._middle)
        end = middle[0] if middle and middle[0] in self.stop_ids else int(self.tokenizer.eos_token_id)
        return [*self._plain(text), end]

    def decode(self, ids: Sequence[int]) -> tuple[str, list[int]]:
        """Decode token by token; a character that needs several tokens is written by the last of them."""
        text, ends = "", []
        start = read = 0  # ids[start:read] is context whose text is already out
        for k in range(len(ids)):
            before = self._text(ids[start:read])
            now = self._text(ids[start : k + 1])
            if len(now) > len(before) and not now.endswith("�"):
                text += now[len(before) :]
                start, read = read, k + 1
            ends.append(len(text))
        rest = self._text(ids[start:])[len(self._text(ids[start:read])) :]
        if rest and ends:
            text += rest
            ends[-1] = len(text)
        return text, ends

    def save(self, folder: Path) -> None:
        """Write the tokenizer."""
        self.tokenizer.save_pretrained(folder)

    def _pieces(self, system: str | None) -> tuple[str, str, str]:
        if not self.tokenizer.chat_template:
            return "", "\n", "\n"
        first, action, second = "PROOFGYMFIRST", "PROOFGYMACTION", "PROOFGYMSECOND"
        messages = [{"role": "system", "content": system}] if system else []
        messages += [
            {"role": "user", "content": first},
            {"role": "assistant", "content": action},
            {"role": "user", "content": second},
        ]
        text = self.tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
        opening = self.tokenizer.apply_chat_template(
            messages[: 2 if system else 1], tokenize=False, add_generation_prompt=True
        )
        if any(text.count(mark) != 1 for mark in (first, action, second)) or first not in opening:
            raise BadInput("the model's chat template does not show each message once; give it a simpler template")
        prefix, suffix = opening.split(first)
        middle = text.split(action)[1].split(second)[0]
        return prefix, middle, suffix

    def _stop_text(self) -> list[int]:
        """The special token that the template puts right after an assistant's text, if it is one."""
        ids = self._special(self._middle)
        return ids[:1] if ids and ids[0] in self.tokenizer.all_special_ids else []

    def _special(self, text: str) -> list[int]:
        return list(self.tokenizer.encode(text, add_special_tokens=False)) if text else []

    def _plain(self, text: str) -> list[int]:
        return list(self.tokenizer.encode(text, add_special_tokens=False, split_special_tokens=True)) if text else []

    def _text(self, ids: Sequence[int]) -> str:
        return str(self.tokenizer.decode(list(ids), skip_special_tokens=True, clean_up_tokenization_spaces=False))
