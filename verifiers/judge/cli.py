"""`proofgym judge`: ask a judge model, measure how far it can be trusted, and attack it."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from proofgym.errors import BadInput, Unjudged

if TYPE_CHECKING:
    from collections.abc import Callable

    from proofgym.chat import ChatModel
    from proofgym.verifiers.judge.judge import Judge

__all__ = ["app", "make_model"]

app = typer.Typer(no_args_is_help=True, add_completion=False, rich_markup_mode=None)

Model = Annotated[str, typer.Option(help="NAME@URL of an OpenAI-compatible endpoint, smollm2, or hf:PATH.")]
RubricName = Annotated[
    str, typer.Option(help="A shipped rubric (answer-equivalence, proof, explanation) or a YAML file.")
]
Samples = Annotated[int, typer.Option(help="Filled rubrics that vote on each answer.")]
Tokens = Annotated[int, typer.Option(help="Tokens of one reply, at most.")]
Cache = Annotated[Path | None, typer.Option(help="A file that remembers what the model answered.")]
Seed = Annotated[int, typer.Option(help="Of the tokens and the samples.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Workers = Annotated[int, typer.Option(help="Questions asked side by side; for endpoints.")]


@app.callback()
def _group() -> None:
    """Judge with a language model, see how far it can be trusted, and attack it."""


@app.command()
def ask(
    question: Annotated[str, typer.Option(help="What was asked.")],
    answer: Annotated[str, typer.Option(help="The answer to judge; - reads it from stdin.")],
    model: Model,
    reference: Annotated[str | None, typer.Option(help="The right answer.")] = None,
    rubric: RubricName = "answer-equivalence",
    samples: Samples = 1,
    max_tokens: Tokens = 700,
    seed: Seed = 0,
    cache: Cache = None,
    as_json: AsJson = False,
) -> None:
    """Judge one answer and print the filled rubric. Exit code 0: correct, 1: not, 3: could not be judged."""
    judge = _judge(model, rubric, samples, max_tokens, seed, cache)
    bound = judge.bind(question, reference)
    text = sys.stdin.read() if answer == "-" else answer
    try:
        found = bound.examine(text)
    except Unjudged as error:
        print(json.dumps({"status": "unjudged", "reason": str(error)}) if as_json else f"unjudged: {error}")
        raise typer.Exit(3) from None
    if as_json:
        print(json.dumps(found.to_json(), ensure_ascii=False))
    else:
        verdict = found.verdict
        print(f"{verdict.status.value}, score {verdict.score:.3g}, decided by {found.decided_by}")
        for criterion in judge.rubric.criteria:
            if criterion.name in verdict.parts:
                print(f"  {criterion.name:<12} {verdict.parts[criterion.name]:.2f}  weight {criterion.weight:g}")
        if found.agreement is not None:
            print(f"  {len(found.samples)} samples, agreement {found.agreement:.2f}, {found.lost} lost")
        if verdict.reason:
            print(verdict.reason)
        for start, end, why in found.faults:
            print(f"  fault at {start}:{end} {text[start:end][:60]!r}: {why}")
        for flag in found.flags:
            print(f"  flag at {flag.start}:{flag.end}: {flag.kind}")
    if not found.verdict.correct:
        raise typer.Exit(1)


@app.command()
def calibrate(
    data: Annotated[Path | None, typer.Argument(help="Labelled JSON Lines; the shipped set by default.")] = None,
    model: Model = "smollm2",
    rubric: RubricName = "answer-equivalence",
    samples: Samples = 1,
    max_tokens: Tokens = 700,
    seed: Seed = 0,
    limit: Annotated[int | None, typer.Option("-n", help="Only so many examples, drawn at random by the seed.")] = None,
    plot: Annotated[Path | None, typer.Option(help="Write the reliability plot as SVG.")] = None,
    fit: Annotated[str | None, typer.Option(help="isotonic or platt: fit a map from belief to probability.")] = None,
    cache: Cache = None,
    workers: Workers = 1,
    as_json: AsJson = False,
) -> None:
    """Compare a judge with labels: accuracy, Cohen's kappa, AUC, calibration error. Exit code 1: nothing was judged."""
    import numpy as np

    from proofgym.verifiers.judge import calibration

    fits: dict[str, Any] = {"isotonic": calibration.Isotonic, "platt": calibration.Platt}
    if fit is not None and fit not in fits:
        raise BadInput(f"--fit is isotonic or platt, found {fit!r}")
    rows = calibration.examples(data or calibration.SHIPPED)
    if limit is not None and limit < len(rows):
        if limit < 1:
            raise BadInput(f"-n is 1 or more, found {limit}")
        rows = [rows[int(i)] for i in np.random.default_rng(seed).permutation(len(rows))[:limit]]
    judge = _judge(model, rubric, samples, max_tokens, seed, cache)
    with _Progress(len(rows)) as step:
        outcomes = calibration.calibrate(judge, rows, workers=workers, progress=step)
    found = calibration.measure(outcomes)
    mapping = None
    if fit is not None and found.n > found.unjudged:
        judged = [(o.example.correct, o.judgement) for o in outcomes if o.judgement is not None]
        belief = np.array([j.verdict.score if j.belief is None else j.belief for _, j in judged])
        mapping = asdict(fits[fit].fit(belief, np.array([correct for correct, _ in judged])))
    if plot is not None:
        plot.write_text(
            calibration.svg(found, f"{judge.model.name}, {found.n - found.unjudged} answers"), encoding="utf-8"
        )
    if as_json:
        print(json.dumps({**found.to_json(), "fit": mapping}))
    else:
        print(found)
        for kind, (n, agreed, lost) in found.by_kind.items():
            print(f"  {kind or '-':<18} {agreed}/{n} agree, {lost} unjudged")
        if mapping is not None:
            print(f"{fit}: {json.dumps(mapping)}")
        if plot is not None:
            print(plot)
    if found.n == found.unjudged:
        raise typer.Exit(1)


@app.command()
def attack(
    model: Model = "smollm2",
    rubric: RubricName = "answer-equivalence",
    samples: Samples = 1,
    max_tokens: Tokens = 700,
    seed: Seed = 0,
    arms: Annotated[
        str, typer.Option(help="Comma-separated: before, 'quoting only', 'model alone', after.")
    ] = "before,after",
    family: Annotated[list[str] | None, typer.Option(help="Only attacks of this family; may be repeated.")] = None,
    questions: Annotated[int, typer.Option(help="How many of the panel's questions.")] = 4,
    cache: Cache = None,
    as_json: AsJson = False,
) -> None:
    """Play the panel of attacks against a judge. Exit code 1: one of them was judged correct behind the defences."""
    from proofgym.verifiers.judge import panel
    from proofgym.verifiers.judge.attacks import ATTACKS, FAMILIES

    chosen = [arm.strip() for arm in arms.split(",")]
    for arm in chosen:
        if arm not in panel.ARMS:
            raise BadInput(f"no arm {arm!r}; there are {', '.join(panel.ARMS)}")
    for name in family or ():
        if name not in FAMILIES:
            raise BadInput(f"no family {name!r}; there are {', '.join(FAMILIES)}")
    if not 1 <= questions <= len(panel.QUESTIONS):
        raise BadInput(f"the panel has 1 to {len(panel.QUESTIONS)} questions, found {questions}")
    attacks = [one for one in ATTACKS if not family or one.family in family]
    judge = _judge(model, rubric, samples, max_tokens, seed, cache)
    with _Progress((1 + len(attacks)) * questions * len(chosen)) as step:
        rows = panel.attack(judge, attacks=attacks, questions=panel.QUESTIONS[:questions], arms=chosen, progress=step)
    if as_json:
        print(json.dumps([asdict(row) for row in rows], ensure_ascii=False))
    else:
        print(panel.table(rows))
        for row in rows:
            if row.outcome == "fooled":
                print(f"  {row.arm}: {row.attack!r} ({row.family}) on {row.question!r}")
    if any(row.arm == "after" and row.outcome == "fooled" and row.family != "control" for row in rows):
        raise typer.Exit(1)


def make_model(spec: str, cache: Path | None = None) -> ChatModel:
    """The chat model that a specification names, behind a cache if wanted.

    Raises:
        BadInput: If it cannot be understood.
    """
    from proofgym.verifiers.judge.cache import CachedModel
    from proofgym.verifiers.judge.local import LocalModel

    model: Any
    if spec == "smollm2":
        from proofgym.agents.policy import load  # the command line stands above all parts

        model = LocalModel.of_policy(load("smollm2"), own_answers=False)
    elif spec.startswith("hf:") and len(spec) > 3:
        model = LocalModel.load(spec[3:])
    elif "@" in spec:
        from proofgym.chat import ApiModel

        model = ApiModel.parse(spec.removeprefix("api:"))
    else:
        raise BadInput(f"no model {spec!r}; use NAME@URL, smollm2 or hf:PATH")
    return CachedModel(model, cache) if cache is not None else model


def _judge(spec: str, rubric: str, samples: int, max_tokens: int, seed: int, cache: Path | None) -> Judge:
    from proofgym.verifiers.judge.judge import Judge, JudgeConfig
    from proofgym.verifiers.judge.rubric import load

    config = JudgeConfig(samples=samples, max_tokens=max_tokens, seed=seed)
    loaded = load(rubric)  # a mistyped name should not first load a model
    return Judge(make_model(spec, cache), loaded, config)


class _Progress:
    """A bar on stderr, if that is a terminal."""

    def __init__(self, total: int) -> None:
        from rich.console import Console
        from rich.progress import Progress

        self._bar = Progress(console=Console(stderr=True), disable=not sys.stderr.isatty(), transient=True)
        self._total = total

    def __enter__(self) -> Callable[[], None]:
        self._bar.start()
        task = self._bar.add_task("asking", total=self._total)
        return lambda: self._bar.advance(task)

    def __exit__(self, *_: object) -> None:
        self._bar.stop()
