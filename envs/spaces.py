"""Spaces that hold what language models read and write: any Unicode text, and chat messages.

`gymnasium.spaces.Text` refuses newlines and everything outside ASCII letters and digits by default, and its vectorised
form keeps only characters of its alphabet. Ours admits every string up to a length and travels through Gymnasium's
vector environments unchanged, shared memory included.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Sequence
from types import ModuleType
from typing import Any, overload

import numpy as np
from gymnasium import Space
from gymnasium.vector.utils import create_empty_array
from gymnasium.vector.utils.shared_memory import (
    create_shared_memory,
    read_from_shared_memory,
    write_to_shared_memory,
)
from numpy.typing import NDArray

__all__ = ["AnyText", "Messages"]

_SAMPLE_ALPHABET = "abc XYZ 0123 +-*/=()\n#.,éß√中文🙂"


class AnyText(Space[str]):
    """Every Unicode string of at most `max_length` characters, the empty one included.

    >>> AnyText(10).contains("π ≈ 3\\n")
    True
    >>> AnyText(3).contains("four")
    False
    """

    def __init__(self, max_length: int, seed: int | np.random.Generator | None = None) -> None:
        if max_length < 1:
            raise ValueError(f"a text space needs room for at least one character, found max_length={max_length}")
        self.max_length = int(max_length)
        super().__init__(dtype=str, seed=seed)

    @property
    def is_np_flattenable(self) -> bool:
        """Text is not a vector of numbers."""
        return False

    def sample(self, mask: Any | None = None, probability: Any | None = None) -> str:
        """A short random text; masks have no meaning here and are refused."""
        if mask is not None or probability is not None:
            raise ValueError("AnyText.sample takes no mask: every character is allowed")
        length = int(self.np_random.integers(0, min(self.max_length, 40) + 1))
        return "".join(_SAMPLE_ALPHABET[i] for i in self.np_random.integers(len(_SAMPLE_ALPHABET), size=length))

    def contains(self, x: Any) -> bool:
        """Whether `x` is a string that is short enough."""
        return isinstance(x, str) and len(x) <= self.max_length

    def __repr__(self) -> str:
        return f"AnyText({self.max_length})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, AnyText) and other.max_length == self.max_length

    def __hash__(self) -> int:
        return hash((AnyText, self.max_length))


class Messages(Space[tuple[dict[str, str], ...]]):
    """A conversation: a tuple of `{"role": ..., "content": ...}`."""

    ROLES = ("system", "user", "assistant", "tool")

    def __init__(self, content: AnyText, seed: int | np.random.Generator | None = None) -> None:
        self.content = content
        super().__init__(seed=seed)

    @property
    def is_np_flattenable(self) -> bool:
        """Text is not a vector of numbers."""
        return False

    def sample(self, mask: Any | None = None, probability: Any | None = None) -> tuple[dict[str, str], ...]:
        """One random message from the user."""
        if mask is not None or probability is not None:
            raise ValueError("Messages.sample takes no mask")
        length = int(self.np_random.integers(0, 20))
        letters = self.np_random.integers(len(_SAMPLE_ALPHABET), size=length)
        return ({"role": "user", "content": "".join(_SAMPLE_ALPHABET[i] for i in letters)},)

    def contains(self, x: Any) -> bool:
        """Whether `x` is a conversation whose every message fits."""
        return isinstance(x, (tuple, list)) and all(
            isinstance(m, dict) and m.get("role") in self.ROLES and self.content.contains(m.get("content")) for m in x
        )

    def __repr__(self) -> str:
        return f"Messages({self.content!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Messages) and other.content == self.content

    def __hash__(self) -> int:
        return hash((Messages, self.content))


class _SharedTexts(Sequence[str]):
    """The texts that lie in shared memory *now*.

    `AsyncVectorEnv` reads shared memory once, when it is built, and from then on relies on seeing changes through
    NumPy views; for text it would return the filler of that first moment for ever. This view decodes on access, and the
    deep copy that the vector environment hands to its caller is a plain tuple of strings.
    """

    def __init__(self, rows: NDArray[np.int32]) -> None:
        self._rows = rows

    def __len__(self) -> int:
        return len(self._rows)

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[str, ...]: ...
    def __getitem__(self, index: int | slice) -> str | tuple[str, ...]:
        if isinstance(index, slice):
            return tuple(self[i] for i in range(*index.indices(len(self))))
        row = self._rows[index]
        points: bytes = row[1 : 1 + row[0]].tobytes()
        return points.decode("utf-32-le", "surrogatepass")

    def __deepcopy__(self, memo: dict[int, Any]) -> tuple[str, ...]:
        return self[:]


# Gymnasium dispatches on the space's type. Without these four, `gym.make_vec(..., vectorization_mode="async")` refuses
# a space it does not know. A text is stored as its length and its code points (UTF-32), so nothing is lost or padded.


@create_empty_array.register(AnyText)
def _empty(space: AnyText, n: int = 1, fn: Any = None) -> tuple[str, ...]:  # noqa: ARG001 - Gymnasium's signature
    return ("",) * n


@create_shared_memory.register(AnyText)
def _create(space: AnyText, n: int = 1, ctx: ModuleType = multiprocessing) -> Any:
    return ctx.Array("i", n * (space.max_length + 1))


@read_from_shared_memory.register(AnyText)
def _read(space: AnyText, shared_memory: Any, n: int = 1) -> _SharedTexts:
    return _SharedTexts(np.frombuffer(shared_memory.get_obj(), dtype=np.int32).reshape(n, space.max_length + 1))


@write_to_shared_memory.register(AnyText)
def _write(space: AnyText, index: int, values: str, shared_memory: Any) -> None:
    points = np.frombuffer(values.encode("utf-32-le", "surrogatepass"), dtype="<i4")
    if points.size > space.max_length:
        raise ValueError(f"a text of {points.size} characters does not fit {space!r}")
    row = np.frombuffer(shared_memory.get_obj(), dtype=np.int32).reshape(-1, space.max_length + 1)[index]
    row[0] = points.size
    row[1 : 1 + points.size] = points
