"""From trajectories to arrays: which step a token belongs to, what it is taught, and that packing changes nothing."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

torch: Any = pytest.importorskip("torch")
from proofgym.agents import grpo, losses  # noqa: E402 - only where torch is
from proofgym.agents.batch import collate  # noqa: E402
from proofgym.agents.config import GRPO  # noqa: E402
from proofgym.agents.credit import token_advantages  # noqa: E402
from proofgym.agents.policy import Policy, tiny  # noqa: E402
from proofgym.agents.steps import steps_of_turn  # noqa: E402
from proofgym.envs.trajectory import Trajectory, Turn  # noqa: E402

pytestmark = pytest.mark.train
MakeTurn = Callable[..., Turn]
MakeEpisode = Callable[..., Trajectory]
CPU = torch.device("cpu")


def cut(turn: Turn) -> tuple[list[float], list[int], list[int]]:
    rewards, steps, closes = steps_of_turn(turn)
    return rewards, steps.tolist(), closes.tolist()


# Steps ----------------------------------------------------------------------------------------------------------------


def test_a_turn_without_credits_is_one_step(turn: MakeTurn) -> None:
    assert cut(turn("abc")) == ([0.0], [0, 0, 0, 0], [-1, -1, -1, -1])


def test_adjoining_credits_are_a_step_each_and_the_end_closes_the_last(turn: MakeTurn) -> None:
    rewards, steps, closes = cut(turn("123", [(0, 1, 0.1), (1, 2, 0.0), (2, 3, 0.3)]))
    assert rewards == [0.1, 0.0, 0.3, 0.0]
    assert steps == [0, 1, 2, 3]
    assert closes == [-1, -1, -1, 2]


def test_a_separator_closes_the_credit_before_it(turn: MakeTurn) -> None:
    # "4=4\n5=5": the newline ended the first line; nothing after it can.
    _, steps, closes = cut(turn("4=4\n5=5", [(0, 3, 0.5), (4, 7, 0.5)]))
    assert steps == [0, 0, 0, 1, 1, 1, 1, 2]
    assert closes == [-1, -1, -1, 0, -1, -1, -1, 1]


def test_only_the_first_token_between_two_credits_closes(turn: MakeTurn) -> None:
    _, _, closes = cut(turn("4 . 5", [(0, 1, 0.5), (4, 5, 0.5)]))
    assert closes == [-1, 0, -1, -1, -1, 1]


def test_everything_behind_the_last_credit_closes_it(turn: MakeTurn) -> None:
    rewards, steps, closes = cut(turn("#4 or so", [(0, 2, 1.0)]))
    assert rewards == [1.0, 0.0]
    assert steps == [0, 0, *[1] * 7]
    assert closes == [-1, -1, *[0] * 7]


def test_credits_that_end_together_are_one_step(turn: MakeTurn) -> None:
    rewards, steps, _ = cut(turn("abcd", [(0, 4, 0.25), (2, 4, 0.5), (4, 4, 0.125)]))
    assert rewards == [0.875, 0.0]
    assert steps == [0, 0, 0, 0, 1]


def test_nested_and_overlapping_credits(turn: MakeTurn) -> None:
    # An inner credit ends first; what follows it still lies in the outer one, so it closes nothing.
    rewards, steps, closes = cut(turn("abcd", [(0, 4, 1.0), (1, 2, 0.5)]))
    assert rewards == [0.5, 1.0, 0.0]
    assert steps == [0, 0, 1, 1, 2]
    assert closes == [-1, -1, -1, -1, 1]
    rewards, steps, closes = cut(turn("abcd", [(0, 2, 0.5), (1, 3, 1.0)]))
    assert rewards == [0.5, 1.0, 0.0]
    assert steps == [0, 0, 1, 2, 2]
    assert closes == [-1, -1, -1, 1, 1]


def test_credits_may_come_in_any_order(turn: MakeTurn) -> None:
    spans = [(0, 1, 0.1), (1, 3, 0.2), (3, 4, 0.3)]
    for order in itertools.permutations(spans):
        assert cut(turn("abcd", order)) == cut(turn("abcd", spans))


def test_an_empty_action_answers_for_its_credit(turn: MakeTurn) -> None:
    assert cut(turn("", [(0, 0, -1.0)])) == ([-1.0, 0.0], [1], [0])
    assert cut(turn("")) == ([0.0], [0], [-1])


def test_a_turn_without_tokens_keeps_its_rewards(turn: MakeTurn) -> None:
    assert cut(turn("ab", [(0, 2, 1.0)], ends=[])) == ([1.0], [], [])


def test_a_token_that_spans_the_end_of_a_credit_belongs_to_it(turn: MakeTurn) -> None:
    # Tokens "1", "2\n3", "4", end: the middle one wrote the first credit's last character.
    _, steps, closes = cut(turn("12\n34", [(0, 2, 0.5), (3, 5, 0.5)], ends=[1, 4, 5, 5]))
    assert steps == [0, 0, 1, 2]
    assert closes == [-1, -1, -1, 1]


def test_a_character_of_several_tokens_is_written_by_the_last(turn: MakeTurn) -> None:
    # An emoji of three tokens, then "a": all three begin before the credit's end.
    _, steps, closes = cut(turn("🙂a", [(0, 1, 0.5), (1, 2, 0.5)], ends=[0, 0, 1, 2, 2]))
    assert steps == [0, 0, 0, 1, 2]
    assert closes == [-1, -1, -1, -1, 1]


@given(
    text=st.text("ab", max_size=8),
    spans=st.lists(st.tuples(st.integers(0, 8), st.integers(0, 8), st.floats(-1, 1)), max_size=5),
    joints=st.sets(st.integers(1, 7)),
)
def test_steps_hold_every_reward_and_every_token(
    text: str, spans: list[tuple[int, int, float]], joints: set[int], turn: MakeTurn
) -> None:
    n = len(text)
    inside = [(min(s, e, n), min(max(s, e), n), v) for s, e, v in spans]
    ends = [*sorted(j for j in joints if j < n), n, n]
    made = turn(text, inside, ends=ends)
    rewards, steps, closes = cut(made)
    assert sum(rewards) == pytest.approx(made.reward)
    assert len(steps) == len(closes) == len(ends)
    assert steps == sorted(steps)
    assert all(0 <= s < len(rewards) for s in steps)
    finishes = sorted({e for _, e, _ in inside})
    for start, step, closed in zip([0, *ends], steps, closes, strict=False):
        if finishes:
            assert step == sum(e <= start for e in finishes)  # the slow way to say it
            lies_inside = any(s <= start < e for s, e, _ in inside)
            first, last = start in finishes, step == len(finishes)
            assert closed == (step - 1 if step and not lies_inside and (first or last) else -1)


# Advantages of tokens -------------------------------------------------------------------------------------------------


def test_steps_of_different_turns_are_aligned(turn: MakeTurn, episode: MakeEpisode) -> None:
    """The second turns are compared with each other, though one first turn had two steps and the other one."""
    a = episode([turn("12", [(0, 1, 1.0), (1, 2, 0.0)]), turn("3", [(0, 1, 5.0)])])
    b = episode([turn("1", [(0, 1, 1.0)]), turn("3", [(0, 1, 3.0)])], sample=1)
    found = token_advantages([a, b], scale=False)
    assert found[0][1].tolist() == [2.0, 2.0]  # the digit, and the end that closes it
    assert found[1][1].tolist() == [-2.0, -2.0]
    assert found[0][0].tolist() == [2.0, 2.0, 2.0]
    # b's end stands where a wrote its second digit: 3 to come, against 0 + 5; the step it closes was even.
    assert found[1][0].tolist() == [-2.0, -2.0]


def test_an_ended_sibling_counts_zero(turn: MakeTurn, episode: MakeEpisode) -> None:
    a = episode([turn("1", [(0, 1, 1.0)]), turn("2", [(0, 1, 4.0)])])
    b = episode([turn("1", [(0, 1, 1.0)])], sample=1)
    assert token_advantages([a, b], scale=False)[0][1].tolist() == [4.0, 4.0]


def test_kinds_by_hand(turn: MakeTurn, episode: MakeEpisode) -> None:
    from proofgym.verifiers import Verdict

    pair = [
        episode([turn("12", [(0, 1, 1.0), (1, 2, 1.0)])]),
        episode([turn("12", [(0, 1, 0.0), (1, 2, 1.0)])], sample=1),
    ]
    pair[0].turns[0].verdict = Verdict.right()
    flat = [a.tolist() for [a] in token_advantages(pair, "trajectory", scale=False)]
    assert flat == [[1.0, 1.0, 1.0], [-1.0, -1.0, -1.0]]
    assert [a.tolist() for [a] in token_advantages(pair, "outcome", scale=False)] == flat
    assert [a.tolist() for [a] in token_advantages(pair, "step", scale=False)] == [[1, 0, 0], [-1, 0, 0]]
    assert token_advantages(pair, "grpo")[0][0] == pytest.approx([0.5 / (0.5**0.5 + 1e-4)] * 3)


def test_groups_are_told_apart_by_environment(turn: MakeTurn, episode: MakeEpisode) -> None:
    a, b = episode([turn("1", [(0, 1, 1.0)])]), episode([turn("1", [(0, 1, 0.0)])])
    b.env = "another"
    assert not any(x.any() for turns in token_advantages([a, b]) for x in turns)


@pytest.mark.parametrize("kind", ["step", "trajectory", "outcome", "grpo"])
def test_unjudged_episodes_change_no_bit(kind: Any, turn: MakeTurn, episode: MakeEpisode) -> None:
    rng = np.random.default_rng(0)

    def draw(i: int) -> Trajectory:
        turns = [
            turn("123", [(k, k + 1, float(rng.random())) for k in range(rng.integers(4))])
            for _ in range(rng.integers(1, 4))
        ]
        return episode(turns, index=i // 4, sample=i % 4, end="unjudged" if i % 3 == 0 else "terminated")

    everyone = [draw(i) for i in range(12)]
    everyone[0].turns += [turn("123456789")] * 5  # longer and wider than all others
    everyone[3].turns = []
    kept = [e for e in everyone if not e.unjudged]
    with_faults = token_advantages(everyone, kind)
    without = token_advantages(kept, kind)
    for e, found in zip(everyone, with_faults, strict=True):
        if e.unjudged:
            assert not any(x.any() for x in found)
    sound = [x for e, x in zip(everyone, with_faults, strict=True) if not e.unjudged]
    assert all(np.array_equal(x, y) for a, b in zip(sound, without, strict=True) for x, y in zip(a, b, strict=True))


def test_scaling_makes_the_root_mean_square_of_steps_one(turn: MakeTurn, episode: MakeEpisode) -> None:
    made = [episode([turn("12", [(0, 1, float(i)), (1, 2, float(i % 2))])], sample=i) for i in range(5)]
    small = [x for [x] in token_advantages(made, "trajectory")]
    assert np.sqrt(np.mean(np.stack(small) ** 2)) == pytest.approx(1.0)


# Stopping: the exact expectation --------------------------------------------------------------------------------------


@pytest.mark.parametrize("wrong_pays", [0.0, -0.5])
def test_the_expected_gradient_of_stopping_is_exact(wrong_pays: float, turn: MakeTurn, episode: MakeEpisode) -> None:
    """The answer is "42". After "4" the policy stops or writes "2"; one credit spans whatever it wrote.

    Groups of two, all pairs enumerated. Were the end token in a step of its own that is paid nothing, stopping too
    early could not be blamed.
    """
    stop, two = 0.7, 0.6  # after "4": stop, else write 2 (or another digit), then stop
    outcomes = [("4", stop, wrong_pays), ("42", (1 - stop) * two, 1.0), ("43", (1 - stop) * (1 - two), wrong_pays)]
    assert sum(p for _, p, _ in outcomes) == pytest.approx(1.0)
    stopped = {"4": 1 - stop, "42": -stop, "43": -stop}  # derivative of the log-probability by the logit of stopping
    truth = sum(p * stopped[text] * pay for text, p, pay in outcomes)
    expected = 0.0
    for (a, p, x), (b, q, y) in itertools.product(outcomes, repeat=2):
        pair = [episode([turn(t, [(0, len(t), v)])], sample=i) for i, (t, v) in enumerate([(a, x), (b, y)])]
        found = token_advantages(pair, scale=False)
        expected += p * q * sum(stopped[t] * found[i][0][1] for i, t in enumerate((a, b))) / 2
    assert truth < 0  # stopping here is wrong
    assert expected == pytest.approx(truth, abs=1e-12)


# Packing --------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def policy() -> Policy:
    return tiny("0123456789", width=16, layers=2, heads=2, context=64)


def ragged(turn: MakeTurn, episode: MakeEpisode, policy: Policy, count: int = 12) -> list[Trajectory]:
    rng = np.random.default_rng(1)
    made = []
    for i in range(count):
        turns = []
        for _ in range(rng.integers(1, 4)):
            text = "".join(map(str, rng.integers(10, size=rng.integers(1, 7))))
            new = turn(text, [(k, k + 1, float(rng.random())) for k in range(len(text))])
            new.prompt_ids = policy.format.open("".join(map(str, rng.integers(10, size=rng.integers(1, 9)))))
            new.action_ids = policy.format.encode_action(text)
            new.logprobs = rng.normal(-2.3, 0.05, size=len(new.action_ids)).tolist()
            turns.append(new)
        made.append(episode(turns, index=i // 4, sample=i % 4))
    return made


def gradient(policy: Policy, episodes: list[Trajectory], **changes: Any) -> Any:
    config = GRPO(max_grad_norm=1e9, **changes)
    captured: list[Any] = []

    class Capture(torch.optim.SGD):  # type: ignore[misc]
        def step(self, closure: Any = None) -> None:
            captured.append(torch.cat([p.grad.flatten() for p in policy.model.parameters() if p.grad is not None]))

    numbers = grpo.learn(policy, Capture(policy.model.parameters(), lr=0.0), episodes, config)
    assert numbers["skipped"] == 0
    return captured[0].clone() if captured else None


@pytest.mark.parametrize("tokens_per_batch", [1, 40, 100])
def test_micro_batches_do_not_change_the_gradient(
    tokens_per_batch: int, turn: MakeTurn, episode: MakeEpisode, policy: Policy
) -> None:
    episodes = ragged(turn, episode, policy)
    whole = gradient(policy, episodes)
    assert whole.abs().max() > 1e-3
    assert (gradient(policy, episodes, tokens_per_batch=tokens_per_batch) - whole).abs().max() < 1e-6


def test_the_gradient_is_that_of_each_trajectory_alone(turn: MakeTurn, episode: MakeEpisode, policy: Policy) -> None:
    episodes = ragged(turn, episode, policy)
    taught = token_advantages(episodes)
    tokens = sum(len(t.action_ids) for e in episodes for t in e.turns)
    policy.model.zero_grad()
    for e, a in zip(episodes, taught, strict=True):  # no padding anywhere, and the log-probabilities by hand
        ids = [i for t in e.turns for i in (*t.prompt_ids, *t.action_ids)]
        logp = policy.model(torch.tensor([ids])).logits[0].log_softmax(-1)
        position, place = 0, 0
        flat, old = np.concatenate(a), [x for t in e.turns for x in t.logprobs]
        for t in e.turns:
            position += len(t.prompt_ids)
            for i in t.action_ids:
                ratio = torch.exp(logp[position - 1, i] - old[place])
                bounded = ratio.clamp(0.8, 1.28)
                (-torch.minimum(ratio * float(flat[place]), bounded * float(flat[place])) / tokens).backward(
                    retain_graph=True
                )
                position, place = position + 1, place + 1
    alone = torch.cat([p.grad.flatten() for p in policy.model.parameters()])
    assert (gradient(policy, episodes) - alone).abs().max() < 1e-6


def test_collate_keeps_every_token_once(turn: MakeTurn, episode: MakeEpisode, policy: Policy) -> None:
    episodes = ragged(turn, episode, policy)
    episodes[3].end = "unjudged"
    episodes[5].turns = []
    batches = collate(episodes, token_advantages(episodes), 0, tokens_per_batch=50, device=CPU)
    used = [e for i, e in enumerate(episodes) if i not in (3, 5)]
    assert sum(len(b.ids_BL) for b in batches) == len(used)
    assert all(b.ids_BL.numel() <= 50 or len(b.ids_BL) == 1 for b in batches)
    kept = sorted(i for b in batches for i in b.ids_BL[b.keep_BL].tolist())
    assert kept == sorted(i for e in used for t in e.turns for i in t.action_ids)
    for b in batches:
        assert int(b.keep_BL.sum()) == len(b.old_N) == len(b.advantages_N)
        assert not b.keep_BL[:, 0].any()


def test_tokens_without_logprobs_are_refused(turn: MakeTurn, episode: MakeEpisode) -> None:
    bad = episode([turn("12")], index=4)
    bad.turns[0].logprobs = []
    with pytest.raises(ValueError, match="item 4, attempt 0: 3 sampled tokens but 0"):
        collate([bad], token_advantages([bad]), 0, tokens_per_batch=50, device=CPU)


def test_what_a_masked_token_says_has_no_gradient(policy: Policy) -> None:
    """Only kept tokens are predicted: the gradient by the output layer is zero for ids that occur in prompts only."""
    ids, keep = torch.tensor([[1, 12, 2, 6, 7, 0, 0]]), torch.tensor([[False, False, False, True, True, False, False]])
    logprobs, _ = policy.logprobs(ids, keep)
    embedded = policy.model.get_input_embeddings()(ids).detach().requires_grad_(True)
    hidden = policy.model.base_model(inputs_embeds=embedded).last_hidden_state
    logp = policy.model.get_output_embeddings()(hidden).log_softmax(-1)
    by_hand = torch.stack([logp[0, 2, 6], logp[0, 3, 7]])
    assert torch.allclose(logprobs, by_hand, atol=1e-6)
    loss: Any = losses.token_mean(by_hand, torch.ones(2, dtype=torch.bool), 2.0)
    loss.backward()
    assert not embedded.grad[0, 4:].any()  # the last action token and the padding are never read
    assert embedded.grad[0, :4].abs().sum(-1).min() > 0
