"""Continuous batching gives what each request gives alone; the cache is only there to be faster."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

torch: Any = pytest.importorskip("torch")
from proofgym.agents.engines.base import Request  # noqa: E402 - only where torch is
from proofgym.agents.engines.transformers import TransformersEngine, choose  # noqa: E402
from proofgym.agents.policy import Policy, tiny  # noqa: E402
from proofgym.agents.sampling import Sample, Sampling  # noqa: E402

pytestmark = pytest.mark.train


@pytest.fixture(scope="module")
def policy() -> Policy:
    return tiny("0123456789", width=24, layers=2, heads=2, context=256, seed=3)


def text(row: int, turn: int = 0) -> str:
    return "".join(str((row * 7 + turn * 3 + i) % 10) for i in range(1 + (row * 5 + turn) % 9))


def ask(policy: Policy, row: int, sampling: Sampling, *, context: Sequence[int] = (), turn: int = 0) -> Request:
    return Request(row, list(context) or policy.format.open(text(row, turn)), sampling, (5, row, turn))


def finish(engine: TransformersEngine) -> dict[int, Sample]:
    found = {}
    while engine.busy:
        found.update({request.session: sample for request, sample in engine.poll()})
    return found


def alone(policy: Policy, request: Request) -> Sample:
    engine = TransformersEngine(policy, slots=1)
    engine.submit(request)
    return finish(engine)[request.session]


def same(a: Sample, b: Sample) -> bool:
    return a.ids == b.ids and a.cut == b.cut and a.logprobs == pytest.approx(b.logprobs, abs=2e-5)


def taught(policy: Policy, context: Sequence[int], sample: Sample, temperature: float) -> list[float]:
    """The sample's log-probabilities by a teacher-forced pass over everything."""
    ids = torch.tensor([[*context, *sample.ids]])
    logits = policy.model(ids).logits[0, len(context) - 1 : -1].float()
    logp = torch.log_softmax(logits / (temperature or 1.0), -1)
    found: list[float] = logp[torch.arange(len(sample.ids)), torch.tensor(sample.ids)].tolist()
    return found


@pytest.mark.parametrize("slots", [1, 3, 16])
@pytest.mark.parametrize("temperature", [0.0, 1.0, 0.7])
def test_a_sample_does_not_depend_on_who_shares_its_batch(policy: Policy, temperature: float, slots: int) -> None:
    """Whatever the composition: rows of all lengths, more requests than slots, finished rows refilled at once."""
    engine = TransformersEngine(policy, slots=slots)
    requests = [ask(policy, row, Sampling(temperature, 1 + row % 7)) for row in range(11)]
    for request in requests[:6]:
        engine.submit(request)
    found = {r.session: s for _ in range(2) for r, s in engine.poll()}
    for request in requests[6:]:
        engine.submit(request)
    found |= finish(engine)
    assert len(found) == 11
    for request in requests:
        assert same(found[request.session], alone(policy, request))
    assert {s.cut for s in found.values()} == {True, False}  # both ways of ending were there


def test_requests_of_different_temperatures_share_a_batch(policy: Policy) -> None:
    engine = TransformersEngine(policy, slots=8)
    requests = [ask(policy, row, Sampling([0.0, 1.0, 0.5][row % 3], 6)) for row in range(8)]
    for request in requests:
        engine.submit(request)
    found = finish(engine)
    assert all(same(found[r.session], alone(policy, r)) for r in requests)


@pytest.mark.parametrize("temperature", [0.0, 1.0, 0.6])
def test_logprobs_of_sampling_are_those_of_a_teacher_forced_pass(policy: Policy, temperature: float) -> None:
    """So that the first update on fresh samples has ratio 1."""
    engine = TransformersEngine(policy, slots=4)
    requests = [ask(policy, row, Sampling(temperature, 9)) for row in range(7)]
    for request in requests:
        engine.submit(request)
    found = finish(engine)
    for request in requests:
        sample = found[request.session]
        assert sample.logprobs == pytest.approx(taught(policy, request.context, sample, temperature), abs=1e-5)


@pytest.mark.parametrize("slots", [2, 5])
def test_later_turns_read_their_new_tokens_only_and_give_the_same(policy: Policy, slots: int) -> None:
    """With two slots for five episodes, caches are lost and contexts are read again: the samples stay the same."""
    engine = TransformersEngine(policy, slots=slots)
    contexts: list[list[int]] = [[] for _ in range(5)]
    last: list[list[int]] = [[] for _ in range(5)]
    for turn in range(4):
        requests = []
        for row in range(5):
            new = policy.format.between(text(row, turn), last[row]) if turn else policy.format.open(text(row))
            contexts[row] += new
            requests.append(ask(policy, row, Sampling(1.0, 5), context=contexts[row], turn=turn))
            engine.submit(requests[-1])
        found = finish(engine)
        for row, request in enumerate(requests):
            assert same(found[row], alone(policy, request))
            contexts[row] += found[row].ids
            last[row] = found[row].ids
    read = sum(map(len, contexts))
    if slots == 5:
        assert engine.stats.read <= read  # nothing twice
        assert engine.stats.reused > 0
    else:
        assert engine.stats.read > read


def test_equal_contexts_are_read_once(policy: Policy) -> None:
    engine = TransformersEngine(policy, slots=16)
    context = policy.format.open("31415926")
    requests = [ask(policy, row, Sampling(1.0, 6), context=context) for row in range(16)]
    for request in requests:
        engine.submit(request)
    found = finish(engine)
    assert engine.stats.read == len(context)
    assert engine.stats.reused == 15 * len(context)
    assert len({tuple(s.ids) for s in found.values()}) > 8
    assert all(same(found[r.session], alone(policy, r)) for r in requests)


def test_a_forked_continuation_is_one_from_scratch(policy: Policy) -> None:
    """The cache's copy, at every place, of a parent that is idle and of one that is still being sampled."""
    engine = TransformersEngine(policy, slots=12)
    root = ask(policy, 1, Sampling(0.0, 8))
    engine.submit(root)
    sample = finish(engine)[1]
    engine.submit(ask(policy, 2, Sampling(1.0, 8)))
    engine.poll()
    for kept in range(len(sample.ids)):
        context = [*root.context, *sample.ids[:kept]]
        for greedy in (True, False):
            request = Request(
                10 + kept, context, Sampling(0.0 if greedy else 1.0, len(sample.ids) - kept), (9, kept), parent=1
            )
            before = engine.stats.read
            engine.submit(request)
            found = finish(engine)[request.session]
            assert engine.stats.read == before + 1  # the last token: its logits are needed
            assert same(found, alone(policy, request))
            if greedy:
                assert found.ids == sample.ids[kept:]
            engine.release(request.session)


def test_new_weights_are_used_at_once_and_old_caches_forgotten() -> None:
    policy = tiny("0123456789", width=24, layers=2, heads=2, context=64, seed=3)
    other = tiny("0123456789", width=24, layers=2, heads=2, context=64, seed=4)
    engine = TransformersEngine(policy, slots=4, own_copy=True)
    asked = [ask(policy, row, Sampling(0.0, 10)) for row in range(20)]
    requests = [request for request in asked if alone(policy, request).cut][:4]  # none of them stops by itself
    for request in requests:
        engine.submit(request)
    for _ in range(3):
        assert not engine.poll()
    begun_with = engine.stats.generated // len(requests)
    assert 3 <= begun_with < 10
    engine.load(other.model.named_parameters(), 5)
    assert engine.version == 5
    found = finish(engine)
    for request in requests:
        sample = found[request.session]
        begun = alone(policy, request)
        assert sample.ids[:begun_with] == begun.ids[:begun_with]
        assert sample.version == 0  # the oldest that had a part in it
        context = [*request.context, *begun.ids[:begun_with]]
        wanted = alone(other, ask(other, request.session, Sampling(0.0, 10 - begun_with), context=context))
        assert sample.ids[begun_with:] == wanted.ids
        assert sample.logprobs[begun_with:] == pytest.approx(wanted.logprobs, abs=2e-5)
    fresh = ask(policy, 9, Sampling(0.0, 10))
    engine.submit(fresh)
    assert same(finish(engine)[9], alone(other, fresh))


def test_a_copy_is_not_touched_by_training(policy: Policy) -> None:
    trained = tiny("0123456789", width=24, layers=2, heads=2, context=64, seed=3)
    engine = TransformersEngine(trained, slots=1, own_copy=True)
    request = ask(trained, 3, Sampling(0.0, 6))
    wanted = alone(trained, request)
    with torch.no_grad():
        for weight in trained.model.parameters():
            weight.zero_()
    engine.submit(request)
    assert same(finish(engine)[3], wanted)


def test_a_copy_in_bfloat16_samples_nearly_the_same(policy: Policy) -> None:
    engine = TransformersEngine(policy, slots=8, own_copy=True, dtype=torch.bfloat16)
    requests = [ask(policy, row, Sampling(1.0, 6)) for row in range(8)]
    for request in requests:
        engine.submit(request)
    for session, sample in finish(engine).items():
        assert sample.logprobs == pytest.approx(taught(policy, requests[session].context, sample, 1.0), abs=0.15)


def test_sleep_forgets_the_cache_and_changes_nothing(policy: Policy) -> None:
    engine = TransformersEngine(policy, slots=2)
    first = ask(policy, 0, Sampling(1.0, 5))
    engine.submit(first)
    sample = finish(engine)[0]
    engine.sleep()
    engine.wake()
    second = ask(policy, 0, Sampling(1.0, 5), context=[*first.context, *sample.ids, *policy.format.open("7")], turn=1)
    engine.submit(second)
    assert same(finish(engine)[0], alone(policy, second))
    assert engine.stats.read == len(first.context) + len(second.context)


def test_released_sessions_are_gone_in_any_state(policy: Policy) -> None:
    engine = TransformersEngine(policy, slots=2)
    for row in range(4):
        engine.submit(ask(policy, row, Sampling(1.0, 20)))
    engine.poll()
    for row in (0, 3):  # one in progress, one still waiting
        engine.release(row)
    assert set(finish(engine)) == {1, 2}
    engine.release(77)
    assert engine.busy == 0


def test_entropies_are_those_of_the_tempered_distribution(policy: Policy) -> None:
    engine = TransformersEngine(policy, slots=2)
    for row, temperature in enumerate((0.5, 2.0)):
        engine.submit(ask(policy, row, Sampling(temperature, 5, entropy=True)))
    for row, sample in finish(engine).items():
        ids = torch.tensor([[*policy.format.open(text(row)), *sample.ids]])
        logp = torch.log_softmax(policy.model(ids).logits[0].float() / (0.5, 2.0)[row], -1)
        wanted = -(logp.exp() * logp).sum(-1)[-len(sample.ids) - 1 : -1]
        assert sample.entropies == pytest.approx(wanted.tolist(), abs=1e-5)


def test_more_room_extends_a_cut_sample(policy: Policy) -> None:
    """The token limit does not change which tokens are drawn."""
    short, long = (alone(policy, ask(policy, 2, Sampling(1.0, limit))) for limit in (2, 20))
    assert short.cut
    assert long.ids[:2] == short.ids


def test_what_does_not_fit_is_refused(policy: Policy) -> None:
    engine = TransformersEngine(policy, slots=1)
    with pytest.raises(ValueError, match="255 tokens of context and 2 to sample; the model reads 256"):
        engine.submit(Request(0, [5] * 255, Sampling(1.0, 2)))
    with pytest.raises(ValueError, match="needs a token"):
        engine.submit(Request(0, [], Sampling()))
    engine.submit(Request(0, [5] * 206, Sampling(0.0, 50), (1,)))
    engine.submit(Request(1, [5] * 3, Sampling(1.0, 2), (1,)))
    for session in (0, 1):  # one being sampled or waiting, one waiting
        with pytest.raises(ValueError, match="in progress"):
            engine.submit(Request(session, [5] * 3, Sampling(1.0, 2), (1,)))
    assert len(finish(engine)) == 2
    with pytest.raises(ValueError, match="at least one slot"):
        TransformersEngine(policy, slots=0)


def test_attention_that_the_cache_cannot_serve_is_refused() -> None:
    policy = tiny("01", width=24, layers=2, heads=2, context=64)
    policy.model.config.layer_types = ["full_attention", "sliding_attention"]
    with pytest.raises(ValueError, match="sliding_attention layers"):
        TransformersEngine(policy)


def test_an_eager_model_gives_the_same(policy: Policy) -> None:
    eager = tiny("0123456789", width=24, layers=2, heads=2, context=256, seed=3)
    eager.model.set_attn_implementation("eager")
    for row in range(3):
        assert same(alone(eager, ask(eager, row, Sampling(1.0, 6))), alone(policy, ask(policy, row, Sampling(1.0, 6))))


@pytest.mark.parametrize("kind", ["tiny", "grouped", "qwen2", "llama3"])
def test_the_lean_step_is_the_model(kind: str) -> None:
    """Hidden states and caches of both ways, over a read and several steps; and it declines what it does not know."""
    transformers: Any = pytest.importorskip("transformers")
    shape: dict[str, Any] = {
        "vocab_size": 15, "hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2, "num_attention_heads": 4,
        "num_key_value_heads": 2 if kind != "tiny" else 4, "max_position_embeddings": 64,
    }  # fmt: skip
    if kind == "llama3":
        shape["rope_parameters"] = {
            "rope_type": "llama3", "rope_theta": 1e4, "factor": 4.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
            "original_max_position_embeddings": 16,
        }  # fmt: skip
    name = "Qwen2" if kind == "qwen2" else "Llama"
    torch.manual_seed(0)
    model = getattr(transformers, f"{name}ForCausalLM")(getattr(transformers, f"{name}Config")(**shape)).eval()
    policy = Policy(model, tiny("0123456789", width=16, layers=1, heads=2).format, kind)
    requests = [ask(policy, row, Sampling(1.0, 12)) for row in range(7)]
    found = []
    for plain in (False, True):
        engine = TransformersEngine(policy, slots=4)
        assert engine._step is not None
        if plain:
            engine._step = None
        for request in requests:
            engine.submit(request)
        found.append(finish(engine))
    assert all(same(found[0][row], found[1][row]) for row in range(7))
    model.model.layers[0].mlp.up_proj = torch.nn.Sequential(model.model.layers[0].mlp.up_proj)
    assert TransformersEngine(policy)._step is None
    assert TransformersEngine(policy, own_copy=True, dtype=torch.bfloat16)._step is None


def test_what_follows_from_weights_follows_new_ones(policy: Policy) -> None:
    """Joined and tabulated weights are forgotten with `load` and with `sleep`."""
    other = tiny("0123456789", width=24, layers=2, heads=2, context=256, seed=9)
    request = ask(policy, 0, Sampling(1.0, 8))
    expected = alone(other, request)
    trained = copy.deepcopy(policy)
    engine = TransformersEngine(trained, slots=1)
    for forget in (lambda: engine.load((), 1), engine.sleep):
        trained.model.load_state_dict(policy.model.state_dict())
        forget()
        engine.submit(request)
        assert not same(finish(engine)[0], expected)
        engine.release(request.session)
        trained.model.load_state_dict(other.model.state_dict())
        forget()
        engine.submit(request)
        assert same(finish(engine)[0], expected)
        engine.release(request.session)


def test_the_norm_and_its_gradient_are_torchs_own() -> None:
    from proofgym.agents.engines.lean import _normed

    generator = torch.Generator().manual_seed(0)
    x, weight = (torch.randn(shape, generator=generator, dtype=torch.float64) for shape in ((7, 12), (12,)))
    x[3] = 0.0
    x.requires_grad_()
    weight.requires_grad_()
    assert torch.autograd.gradcheck(lambda x, w: _normed(x, w, 1e-3), (x, weight))
    expected = torch.nn.functional.rms_norm(x, (12,), weight, 1e-6)
    assert torch.allclose(_normed(x, weight, 1e-6), expected)
    with torch.no_grad():
        assert torch.allclose(_normed(x, weight, 1e-6), expected)


def test_sampling_leaves_the_global_generators_alone(policy: Policy) -> None:
    before, numbers = torch.get_rng_state(), np.random.get_state()[1].copy()  # type: ignore[index]  # noqa: NPY002
    alone(policy, ask(policy, 1, Sampling(1.0, 4)))
    assert torch.equal(torch.get_rng_state(), before)
    assert np.array_equal(np.random.get_state()[1], numbers)  # type: ignore[index]  # noqa: NPY002


def test_draws_follow_the_distribution() -> None:
    """Chi-square over 40 000 draws, tokens of probability zero among them."""
    from scipy.stats import chi2

    p = np.array([0.0, 0.5, 0.03, 0.2, 0.0, 0.27])
    count = 40_000
    logits = torch.log(torch.tensor(p, dtype=torch.float32)).expand(count, -1)
    uniforms = torch.from_numpy(np.random.default_rng(0).random(count))
    token, logprob = choose(logits, uniforms, 1.0)
    seen = np.bincount(token.numpy(), minlength=6)
    assert not seen[p == 0].any()
    expected = count * p[p > 0]
    assert ((seen[p > 0] - expected) ** 2 / expected).sum() < chi2.ppf(0.999, 3)
    assert torch.allclose(logprob, logits[0, token], atol=1e-6)


@pytest.mark.parametrize("temperature", [0.5, 2.0])
def test_temperature_sharpens_or_flattens(temperature: float) -> None:
    logits = torch.tensor([[0.0, 1.0, -2.0]]).expand(20_000, -1)
    uniforms = torch.from_numpy(np.random.default_rng(1).random(20_000))
    token, logprob = choose(logits, uniforms, temperature)
    wanted = torch.softmax(logits[0] / temperature, -1)
    share = torch.bincount(token, minlength=3) / 20_000
    assert torch.allclose(share, wanted, atol=0.012)
    assert torch.allclose(logprob, wanted.log()[token], atol=1e-6)


@pytest.mark.parametrize("uniform", [0.0, np.nextafter(1.0, 0.0)])
def test_the_ends_of_the_unit_interval_are_tokens_that_can_be(uniform: float) -> None:
    logits = torch.tensor([[-np.inf, 0.0, 1.0, -np.inf]])
    token, _ = choose(logits, torch.tensor([uniform], dtype=torch.float64), 1.0)
    assert token.item() == (1 if uniform == 0.0 else 2)


@pytest.mark.parametrize(("temperature", "tokens"), [(-1.0, 5), (1.0, 0)])
def test_impossible_sampling_is_refused(temperature: float, tokens: int) -> None:
    with pytest.raises(ValueError, match="found"):
        Sampling(temperature, tokens)
