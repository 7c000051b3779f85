"""Training and measuring on tiny backbones: what can be learnt is learnt, and kept."""

from pathlib import Path
from typing import Any

import pytest
import torch

from adapter_lib.spec.errors import ConfigError, LoadError
from adapter_lib.spec.strings import parse_config
from adapter_lib.tasks import DataError, Rows, TaskError, task_named
from adapter_lib.tasks.backbone import open_backbone
from adapter_lib.tasks.fitting import Fitted, Recipe, fit
from adapter_lib.tasks.measuring import Measured, measure, token_limit
from adapter_lib.tasks.telling import tell
from tests.adapter_lib.tasks.test_columns import rows_of

REVIEWS = rows_of(
    *(
        {"text": f"the {thing} was {word} .", "label": label}
        for thing in ("film", "food")
        for word, label in (("good", "positive"), ("bad", "negative"))
        for _ in range(8)
    )
)


def trained(
    backbone: Path, name: str, rows: Rows, method: str = "lora[r=4]", **recipe: Any
) -> tuple[Any, Fitted, Measured]:
    """An adapter trained until it knows the rows, measured on them."""
    task = task_named(name)
    opened = open_backbone(str(backbone), task)
    options = {"epochs": 12, "batch_size": 8, "learning_rate": 2e-2, "max_length": 24, **recipe}
    fitted = fit(opened, task, rows, Recipe(parse_config(method), **options))
    measured = measure(opened, task, rows, fitted.labels, max_length=fitted.max_length, resamples=20)
    return opened, fitted, measured


def value_of(measured: Measured, name: str) -> float:
    return {score.name: score.value for score in measured.scores}[name]


def test_classification_is_learnt(bert: Path) -> None:
    steps: list[tuple[int, int]] = []
    task = task_named("classification")
    opened = open_backbone(str(bert), task)
    recipe = Recipe(parse_config("lora[r=4]"), epochs=10, batch_size=8, learning_rate=2e-2)
    before = {name: value.clone() for name, value in opened.model.state_dict().items()}
    fitted = fit(opened, task, REVIEWS, recipe, progress=lambda done, total: steps.append((done, total)))
    measured = measure(opened, task, REVIEWS, fitted.labels, progress=lambda *_: None, resamples=20)
    assert fitted.labels == ("negative", "positive")
    assert (fitted.examples, fitted.steps, fitted.max_length) == (32, 40, 48)
    assert steps[0] == (1, 40)
    assert steps[-1] == (40, 40)
    assert value_of(measured, "accuracy") == 1.0
    assert [score.name for score in measured.scores] == ["accuracy", "macro_f1", "mcc"]
    assert tell(opened, task, ["the food was good .", "the film was bad ."], fitted.labels) == [
        "positive",
        "negative",
    ]
    after = opened.model.state_dict()
    assert all(torch.equal(after[name], value) for name, value in before.items())


@pytest.mark.matrix
def test_training_is_the_same_with_the_same_seed(bert: Path) -> None:
    task = task_named("classification")

    def loss(seed: int) -> float:
        recipe = Recipe(parse_config("lora"), epochs=1, batch_size=8, learning_rate=2e-2, seed=seed)
        return fit(open_backbone(str(bert), task), task, REVIEWS, recipe).loss

    assert loss(1) == loss(1) != loss(2)


def test_a_causal_language_model_is_learnt(gpt2: Path) -> None:
    rows = rows_of(*({"text": "anna eats the good food in rome ."} for _ in range(8)))
    opened, fitted, measured = trained(gpt2, "causal-lm", rows, epochs=40, learning_rate=5e-2)
    assert fitted.labels == ()
    opened.model.set_active_adapters(None)
    bare = measure(opened, task_named("causal-lm"), rows, (), max_length=24)
    assert value_of(measured, "perplexity") < value_of(bare, "perplexity") / 2


def test_perplexity_is_that_of_the_models_own_loss(gpt2: Path) -> None:
    task = task_named("causal-lm")
    opened = open_backbone(str(gpt2), task)
    (feature,) = task.features(opened.tokenizer, ["anna eats the good food"], 24)
    batch = {name: torch.tensor([values]) for name, values in feature.inputs.items()}
    with torch.no_grad():
        loss = opened.model(**batch).loss
    measured = measure(opened, task, rows_of({"text": "anna eats the good food"}), (), max_length=24)
    assert value_of(measured, "perplexity") == pytest.approx(float(loss.exp()), rel=1e-5)


@pytest.mark.matrix
def test_regression_is_learnt(bert: Path) -> None:
    values = (("good", 2.0), ("bad", -1.0)) * 8
    rows = rows_of(*({"text": f"the film was {word} .", "score": value} for word, value in values))
    opened, fitted, measured = trained(bert, "regression", rows, epochs=40)
    assert fitted.labels == ()
    assert value_of(measured, "pearson") > 0.95
    assert value_of(measured, "mse") < 0.5
    (good, bad) = tell(opened, task_named("regression"), ["the film was good .", "the film was bad ."], ())
    assert good > bad + 1


def test_tagging_is_learnt(bert: Path) -> None:
    people = (
        {"tokens": [name, "eats", "in", place], "tags": ["B-PER", "O", "O", "B-LOC"]}
        for name in ("anna", "bob")
        for place in ("paris", "rome")
    )
    opened, fitted, measured = trained(bert, "tagging", rows_of(*(tuple(people) * 4)))
    assert fitted.labels == ("O", "B-LOC", "B-PER")
    assert value_of(measured, "f1") == 1.0
    assert tell(opened, task_named("tagging"), ["bob eats in rome"], fitted.labels) == [
        ["B-PER", "O", "O", "B-LOC"]
    ]


def test_questions_are_learnt(bert: Path) -> None:
    rows = rows_of(
        *(
            {"question": question, "context": f"{name} eats in {place} .", "answers": answer}
            for name in ("anna", "bob")
            for place in ("paris", "rome")
            for question, answer in (("who eats ?", name), ("where ?", place))
        )
    )
    _, fitted, measured = trained(bert, "qa", rows, epochs=60, method="lora[r=8, targets=all-linear]")
    assert fitted.labels == ()
    assert value_of(measured, "exact_match") > 0.9


@pytest.mark.matrix
def test_texts_from_texts_are_learnt(t5: Path) -> None:
    rows = rows_of(
        *(
            {"source": text, "target": answer}
            for text, answer in (("a film", "good"), ("food", "very bad")) * 8
        )
    )
    opened, _, measured = trained(t5, "seq2seq", rows, method="lora[r=8]", epochs=20, learning_rate=5e-2)
    assert value_of(measured, "rougeL") == 1.0
    assert tell(opened, task_named("seq2seq"), ["food"], ()) == ["very bad"]


def test_a_union_learns_at_the_lowest_rate() -> None:
    rates = [Recipe(parse_config(method)).rate for method in ("lora", "seq_bn", "lora|seq_bn")]
    assert rates[2] == min(rates[:2])
    assert Recipe(parse_config("lora"), learning_rate=0.5).rate == 0.5


@pytest.mark.parametrize(
    ("name", "backbone", "message"),
    [
        ("seq2seq", "bert", "seq2seq needs an encoder-decoder such as T5 or BART, and bert is none"),
        ("causal-lm", "bert", "causal-lm needs a decoder such as GPT-2 or LLaMA, and bert is none"),
        ("causal-lm", "t5", "causal-lm needs a decoder"),
    ],
)
def test_a_backbone_that_cannot_do_the_task(
    request: pytest.FixtureRequest, name: str, backbone: str, message: str
) -> None:
    with pytest.raises(TaskError, match=message):
        open_backbone(str(request.getfixturevalue(backbone)), task_named(name))


def test_backbones_that_cannot_be_loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    for name in (str(tmp_path), str(tmp_path / "no"), "owner/never-seen"):
        with pytest.raises(LoadError, match=r"The backbone '.*' could not be loaded: ") as caught:
            open_backbone(name, task_named("classification"))
        assert "\n" not in str(caught.value)
    (tmp_path / "config.json").write_text('{"model_type": "nonsense"}')
    with pytest.raises(LoadError, match="could not be loaded"):
        open_backbone(str(tmp_path), task_named("classification"))


def test_lengths_are_those_that_the_backbone_reads(bert: Path) -> None:
    task = task_named("classification")
    opened = open_backbone(str(bert), task)
    assert token_limit(opened, task, None) == 48
    assert token_limit(opened, task, 8) == 8
    with pytest.raises(TaskError, match=r"max-length is 100, but .* reads at most 48 tokens of a text"):
        token_limit(opened, task, 100)


@pytest.mark.matrix
def test_soft_tokens_leave_less_room(bert: Path) -> None:
    task = task_named("classification")
    opened = open_backbone(str(bert), task)
    recipe = Recipe(parse_config("prompt_tuning[prompt_length=5]|lora"), epochs=1)
    long = rows_of({"text": "good " * 60, "label": 1}, {"text": "bad " * 60, "label": 0})
    assert fit(opened, task, long, recipe).max_length == 43
    shifted = open_backbone(str(bert), task)
    recipe = Recipe(parse_config("prefix_tuning_flat[prefix_length=7, shift_positions=true]"), epochs=1)
    assert fit(shifted, task, long, recipe).max_length == 41


def test_a_training_that_comes_apart_is_no_adapter(bert: Path) -> None:
    with pytest.raises(
        TaskError, match=r"the loss of step \d+ is no number\. Lower --learning-rate, now 1e\+38\."
    ):
        trained(bert, "classification", REVIEWS, learning_rate=1e38)


def test_what_cannot_be_trained_is_refused_before_training(bert: Path) -> None:
    with pytest.raises(DataError, match="there is nothing to tell apart"):
        trained(bert, "classification", rows_of({"text": "a", "label": 1}, {"text": "b", "label": 1}))
    with pytest.raises(ConfigError, match="lorra"):
        trained(bert, "classification", REVIEWS, method="lorra")
