"""Models in this process: guided replies, the policy as its own judge, and learned rewards, with tiny random weights."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from typing import Any

import pytest

from proofgym.errors import BadInput, Unjudged
from proofgym.verifiers.credit import total
from proofgym.verifiers.judge.judge import Defences, Judge, JudgeConfig
from proofgym.verifiers.judge.rubric import load

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")
tokenizers = pytest.importorskip("tokenizers")
pytestmark = pytest.mark.train

SIZE: dict[str, Any] = {
    "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2, "num_key_value_heads": 2,
}  # fmt: skip


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    """Threads cost a tiny model more than they give it."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def tokenizer() -> Any:
    """Bytes as tokens, and a chat template."""
    alphabet = sorted(tokenizers.pre_tokenizers.ByteLevel.alphabet())
    inner = tokenizers.Tokenizer(
        tokenizers.models.BPE({char: i + 2 for i, char in enumerate(alphabet)} | {"<e>": 0, "<p>": 1}, [])
    )
    inner.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
    inner.decoder = tokenizers.decoders.ByteLevel()
    made = transformers.PreTrainedTokenizerFast(tokenizer_object=inner, eos_token="<e>", pad_token="<p>")
    made.chat_template = "{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}{% if add_generation_prompt %}assistant: {% endif %}"
    return made


def model(kind: str, context: int = 4096, **kwargs: Any) -> Any:
    config = transformers.LlamaConfig(
        vocab_size=258, max_position_embeddings=context, pad_token_id=1, eos_token_id=0, **SIZE, **kwargs
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(5)
        return getattr(transformers, kind)(config).eval()


@pytest.fixture(scope="module")
def local(tokenizer: Any) -> Any:
    from proofgym.verifiers.judge.local import LocalModel

    return LocalModel(model("LlamaForCausalLM"), tokenizer, "tiny")


ASK = [{"role": "user", "content": "Fill in."}]


@pytest.mark.parametrize("rubric", ["answer-equivalence", "proof"])
@pytest.mark.parametrize("seed", [0, 1])
def test_a_guided_reply_fits_its_schema_whatever_the_model_wants(local: Any, rubric: str, seed: int) -> None:
    schema = load(rubric).schema("abcdefabcdef")
    reply = local.complete(ASK, temperature=1.0, max_tokens=60, seed=seed, json_schema=schema)
    data = json.loads(reply.text)
    assert list(data) == schema["required"]
    assert data["call"] == "abcdefabcdef"
    for criterion in load(rubric).criteria:
        assert data["scores"][criterion.name] in criterion.scale
        told = reply.likelihoods[criterion.name]
        assert set(told) == {str(mark) for mark in criterion.scale}
        assert math.fsum(told.values()) == pytest.approx(1.0)
    assert set(reply.likelihoods) == {criterion.name for criterion in load(rubric).criteria}


def test_the_likelihood_of_a_choice_is_that_of_the_whole_sequence(local: Any) -> None:
    schema = {"type": "object", "properties": {"k": {"enum": [1, 10]}}}
    reply = local.complete(ASK, json_schema=schema)
    text = local.tokenizer.apply_chat_template(ASK, tokenize=False, add_generation_prompt=True) + '{"k": '
    scores = []
    for option in ("1,", "10,"):
        ids = local.encode(text + option)
        with torch.inference_mode():
            logp = torch.log_softmax(local.model(input_ids=torch.tensor([ids])).logits[0].float(), -1)
        n = len(option)
        scores.append(sum(float(logp[-n - 1 + i, ids[len(ids) - n + i]]) for i in range(n)))
    expected = math.exp(scores[0]) / (math.exp(scores[0]) + math.exp(scores[1]))
    assert reply.likelihoods["k"]["1"] == pytest.approx(expected, abs=1e-4)


def test_the_same_seed_repeats_and_another_differs(local: Any) -> None:
    first, again, other = (local.complete(ASK, temperature=1.0, max_tokens=24, seed=seed).text for seed in (1, 1, 2))
    assert first == again != other
    assert local.complete(ASK, max_tokens=24).text == local.complete(ASK, max_tokens=24, seed=9).text


def test_what_two_prompts_have_in_common_is_read_once_and_changes_nothing(local: Any, tokenizer: Any) -> None:
    from proofgym.verifiers.judge.local import LocalModel

    schema = load("answer-equivalence").schema("ab")
    asks = [[{"role": "user", "content": f"{'The same beginning for all. ' * 4}{i}"}] for i in (1, 22, 1)]
    read: list[int] = []
    inner = local.model.forward

    def forward(*args: Any, **kwargs: Any) -> Any:
        read.append(kwargs["input_ids"].shape[1])
        return inner(*args, **kwargs)

    local.model.forward, local._kept = forward, ([], None)
    try:
        warm = [local.complete(ask, max_tokens=40, json_schema=schema) for ask in asks]
    finally:
        del local.model.forward
    cold = [LocalModel(local.model, tokenizer, "cold").complete(ask, max_tokens=40, json_schema=schema) for ask in asks]
    assert max(read[1:]) < 40 < read[0]
    for one, other in zip(warm, cold, strict=True):
        assert one.text == other.text
        assert one.likelihoods["same"] == pytest.approx(other.likelihoods["same"], abs=1e-4)


def test_a_conversation_that_does_not_fit_is_unjudged(tokenizer: Any) -> None:
    from proofgym.verifiers.judge.local import LocalModel

    small = LocalModel(model("LlamaForCausalLM", context=64), tokenizer, "small")
    with pytest.raises(Unjudged, match="reads 64"):
        small.complete([{"role": "user", "content": "x" * 100}])
    with pytest.raises(Unjudged):
        Judge(small).bind("Why is it so?", "it is light").verify("because it weighs little")


def test_a_policy_judges_itself_with_a_warning_and_its_version_is_in_its_name(tokenizer: Any) -> None:
    from proofgym.verifiers.judge.local import LocalModel, SelfJudging

    class Format:
        pass

    class Policy:
        format: Any = Format()
        name, version = "p", 3
        model: Any = None

    policy = Policy()
    policy.model = model("LlamaForCausalLM")
    with pytest.raises(BadInput, match="tokenizer"):
        LocalModel.of_policy(policy)
    policy.format.tokenizer = tokenizer
    with pytest.warns(SelfJudging):
        judge = LocalModel.of_policy(policy)
    assert judge.name == "p@3"
    config = JudgeConfig(max_tokens=64, defences=Defences(evidence=False))
    found = Judge(judge, config=config).bind("Why is it so?", "it is light").examine("because it weighs little")
    assert 0.0 <= (found.belief or 0.0) <= 1.0
    assert found.calls == 1


def test_the_cache_keeps_likelihoods(local: Any, tmp_path: Any) -> None:
    from proofgym.verifiers.judge.cache import CachedModel

    cached = CachedModel(local, tmp_path / "c.sqlite")
    schema = load("answer-equivalence").schema("ab")
    first, second = (cached.complete(ASK, max_tokens=32, json_schema=schema) for _ in range(2))
    assert second.likelihoods == first.likelihoods != {}
    assert (cached.hits, second.text) == (1, first.text)


# Learned rewards ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("labels", [1, 2])
def test_a_reward_model_scores_in_the_unit_interval_as_its_logits_say(tokenizer: Any, labels: int) -> None:
    from proofgym.verifiers.judge.learned import RewardModel

    inner = model("LlamaForSequenceClassification", num_labels=labels)
    reward = RewardModel(inner, tokenizer)
    text = tokenizer.apply_chat_template(
        [{"role": "user", "content": "Why?"}, {"role": "assistant", "content": "It is light."}], tokenize=False
    )
    with torch.inference_mode():
        logits = inner(input_ids=torch.tensor([reward.encode(text)])).logits[0].double().tolist()
    expected = 1 / (1 + math.exp(-(logits[0] if labels == 1 else logits[1] - logits[0])))
    bound = reward.bind("Why?")
    verdict = bound.verify("It is light.")
    assert verdict.score == pytest.approx(expected, abs=1e-6)
    assert total(bound.credits("It is light."))[0] == verdict.score
    assert bound.verify("It is\u200b light.").score == pytest.approx(expected, abs=1e-6)
    assert bound.verify(" \u200b").score == 0.0
    assert RewardModel(inner, tokenizer, threshold=1e-9).bind("Why?").verify("It is light.").correct
    assert RewardModel(inner, tokenizer, mapping=lambda p: 0.25).bind("Why?").verify("x").score == 0.25


@pytest.mark.parametrize("fold", ["min", "product", "last", "mean"])
def test_a_process_reward_models_credits_lie_on_steps_and_sum_to_the_score(tokenizer: Any, fold: Any) -> None:
    from proofgym.verifiers.judge.learned import ProcessRewardModel

    steps = ProcessRewardModel(model("LlamaForTokenClassification", num_labels=2), tokenizer, fold=fold).bind("2 + 3?")
    answer = "Add two and three.\n  That makes five.\nSo it is 5."
    verdict, paid = steps.verify(answer), steps.credits(answer)
    assert [answer[credit.start : credit.end] for credit in paid] == [
        "Add two and three.",
        "That makes five.",
        "So it is 5.",
    ]
    assert total(paid)[0] == pytest.approx(verdict.score)
    scores = steps.model.scores("2 + 3?", ["Add two and three.", "That makes five.", "So it is 5."])
    folded = {"min": min(scores), "product": math.prod(scores), "last": scores[-1], "mean": sum(scores) / 3}[fold]
    assert verdict.score == pytest.approx(folded)
    assert steps.verify("").score == 0.0


def test_a_models_score_that_is_no_number_or_too_long_a_text_is_unjudged(tokenizer: Any) -> None:
    from proofgym.verifiers.judge.learned import RewardModel

    inner = model("LlamaForSequenceClassification", context=64, num_labels=1)
    with pytest.raises(Unjudged, match="reads 64"):
        RewardModel(inner, tokenizer).bind("Why?").verify("x" * 100)
    torch.nn.init.constant_(inner.score.weight, float("nan"))
    with pytest.raises(Unjudged, match="no number"):
        RewardModel(inner, tokenizer).bind("Why?").verify("It is.")
    with pytest.raises(BadInput, match="one label or two"):
        RewardModel(model("LlamaForSequenceClassification", num_labels=3), tokenizer)
