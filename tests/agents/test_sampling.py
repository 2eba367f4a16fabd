"""Streams: the cache that lives as long as the episodes gives what reading everything again would give."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

torch: Any = pytest.importorskip("torch")
from proofgym.agents.policy import Policy, tiny  # noqa: E402 - only where torch is
from proofgym.agents.sampling import Sample, Sampling, Stream, _choose  # noqa: E402

pytestmark = pytest.mark.train

Turns = list[tuple[list[int], Sample]]


@pytest.fixture(scope="module")
def policy() -> Policy:
    return tiny("0123456789", width=24, layers=2, heads=2, context=256, seed=3)


def key(row: int, turn: int) -> tuple[int, int, int]:
    return (5, row, turn)


def prompt(policy: Policy, row: int, turn: int, last: Sequence[int]) -> list[int]:
    text = "".join(str((row * 7 + turn * 3 + i) % 10) for i in range(1 + (row * 5 + turn) % 9))
    return policy.format.between(text, last) if turn else policy.format.open(text)


def alone(policy: Policy, row: int, turns: int, sampling: Sampling) -> Turns:
    """One episode, every turn in a stream of its own that reads the whole context again."""
    context: list[int] = []
    last: list[int] = []
    found: Turns = []
    for turn in range(turns):
        new = prompt(policy, row, turn, last)
        context += new
        stream = Stream(policy, 1)
        stream.append([context])
        sample = stream.sample(sampling, [key(row, turn)])[0]
        context += sample.ids
        last = sample.ids
        found.append((new, sample))
    return found


def together(policy: Policy, lives: Sequence[int], sampling: Sampling) -> list[Turns]:
    """All episodes side by side in one stream; row r leaves after `lives[r]` turns."""
    stream = Stream(policy, len(lives))
    seated = list(range(len(lives)))
    found: list[Turns] = [[] for _ in lives]
    for turn in range(max(lives)):
        still = [row for row in seated if lives[row] > turn]
        if still != seated:
            stream.keep([seated.index(row) for row in still])
            seated = still
        prompts = [prompt(policy, row, turn, found[row][-1][1].ids if turn else []) for row in seated]
        stream.append(prompts)
        samples = stream.sample(sampling, [key(row, turn) for row in seated])
        for row, new, sample in zip(seated, prompts, samples, strict=True):
            found[row].append((new, sample))
        expected = [sum(len(p) + len(s.ids) for p, s in found[row]) for row in seated]
        assert stream.lengths() == expected
    return found


@pytest.mark.parametrize("temperature", [0.0, 1.0, 0.7])
def test_a_shared_stream_gives_what_each_episode_gives_alone(policy: Policy, temperature: float) -> None:
    lives = [3, 1, 4, 2, 4, 1, 3]
    sampling = Sampling(temperature, max_tokens=6)
    shared = together(policy, lives, sampling)
    cuts = set()
    for row, turns in enumerate(lives):
        for (new, a), (again, b) in zip(shared[row], alone(policy, row, turns, sampling), strict=True):
            assert new == again
            assert a.ids == b.ids
            assert a.cut == b.cut
            assert a.logprobs == pytest.approx(b.logprobs, abs=2e-5)
            cuts.add(a.cut)
    if temperature == 1.0:
        assert cuts == {True, False}  # both ways of ending were there


def test_logprobs_of_sampling_are_those_of_training(policy: Policy) -> None:
    """So that the first update on fresh samples has ratio 1."""
    for temperature in (1.0, 0.6):
        for turns in together(policy, [3, 2, 3], Sampling(temperature, max_tokens=6)):
            ids = [i for new, s in turns for i in (*new, *s.ids)]
            keep = [k for new, s in turns for k in (*[False] * len(new), *[True] * len(s.ids))]
            logprobs, entropy = policy.logprobs(torch.tensor([ids]), torch.tensor([keep]), temperature)
            assert logprobs.tolist() == pytest.approx([x for _, s in turns for x in s.logprobs], abs=1e-5)
            assert (entropy > 0).all()


def test_temperature_zero_takes_the_likeliest_token(policy: Policy) -> None:
    sample = alone(policy, 2, 1, Sampling(0.0, max_tokens=8))[0]
    ids = [*sample[0], *sample[1].ids]
    best = policy.model(torch.tensor([ids])).logits[0].argmax(-1).tolist()
    assert best[len(sample[0]) - 1 : -1] == sample[1].ids


def test_samples_depend_on_their_keys_only(policy: Policy) -> None:
    def draw(rows: Sequence[int], turn: int) -> dict[int, list[int]]:
        stream = Stream(policy, len(rows))
        stream.append([policy.format.open("123") for _ in rows])
        found = stream.sample(Sampling(1.0, 12), [key(row, turn) for row in rows])
        return {row: sample.ids for row, sample in zip(rows, found, strict=True)}

    first = draw(range(6), 0)
    assert draw([4, 2, 9], 0) | first == {**first, 9: draw([9], 0)[9]}
    assert draw(range(6), 0) == first
    assert draw(range(6), 1) != first
    assert len({tuple(ids) for ids in first.values()}) == 6


def test_more_room_extends_a_cut_sample(policy: Policy) -> None:
    """The token limit does not change which tokens are drawn."""

    def draw(limit: int) -> list[Sample]:
        stream = Stream(policy, 4)
        stream.append([policy.format.open("31")] * 4)
        return stream.sample(Sampling(1.0, limit), [key(row, 0) for row in range(4)])

    short, long = draw(4), draw(20)
    assert any(s.cut for s in short)
    assert all(b.ids[: len(a.ids)] == a.ids for a, b in zip(short, long, strict=True))


def test_draws_follow_the_distribution() -> None:
    """Chi-square over 40 000 draws, one token of probability zero among them."""
    from scipy.stats import chi2

    p = np.array([0.0, 0.5, 0.03, 0.2, 0.0, 0.27])
    count = 40_000
    logits = torch.log(torch.tensor(p, dtype=torch.float32)).expand(count, -1)
    uniforms = torch.from_numpy(np.random.default_rng(0).random(count))
    token, logprob = _choose(logits, uniforms, 1.0)
    seen = np.bincount(token.numpy(), minlength=6)
    assert not seen[p == 0].any()
    expected = count * p[p > 0]
    assert ((seen[p > 0] - expected) ** 2 / expected).sum() < chi2.ppf(0.999, 3)
    assert torch.allclose(logprob, logits[0, token], atol=1e-6)


@pytest.mark.parametrize("temperature", [0.5, 2.0])
def test_temperature_sharpens_or_flattens(temperature: float) -> None:
    logits = torch.tensor([[0.0, 1.0, -2.0]]).expand(20_000, -1)
    uniforms = torch.from_numpy(np.random.default_rng(1).random(20_000))
    token, logprob = _choose(logits, uniforms, temperature)
    wanted = torch.softmax(logits[0] / temperature, -1)
    share = torch.bincount(token, minlength=3) / 20_000
    assert torch.allclose(share, wanted, atol=0.012)
    assert torch.allclose(logprob, wanted.log()[token], atol=1e-6)


@pytest.mark.parametrize("uniform", [0.0, np.nextafter(1.0, 0.0)])
def test_the_ends_of_the_unit_interval_are_tokens_that_can_be(uniform: float) -> None:
    logits = torch.tensor([[-np.inf, 0.0, 1.0, -np.inf]])
    token, _ = _choose(logits, torch.tensor([uniform], dtype=torch.float64), 1.0)
    assert token.item() == (1 if uniform == 0.0 else 2)


@pytest.mark.parametrize(("temperature", "tokens"), [(-1.0, 5), (1.0, 0)])
def test_impossible_sampling_is_refused(temperature: float, tokens: int) -> None:
    with pytest.raises(ValueError, match="found"):
        Sampling(temperature, tokens)


def test_sampling_leaves_the_global_generators_alone(policy: Policy) -> None:
    before, numbers = torch.get_rng_state(), np.random.get_state()[1].copy()  # type: ignore[index]  # noqa: NPY002
    together(policy, [2, 1], Sampling(1.0, 4))
    assert torch.equal(torch.get_rng_state(), before)
    assert np.array_equal(np.random.get_state()[1], numbers)  # type: ignore[index]  # noqa: NPY002
