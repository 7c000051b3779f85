"""`train`, `evaluate` and `load --text` on a tiny backbone, and every way in which they refuse."""

import json
from pathlib import Path

import pytest

from tests.adapter_lib.cli.running import call, refused
from tests.adapter_lib.text_backbones import bert_backbone, gpt2_backbone, t5_backbone

FAST = ("--epochs", 10, "--batch-size", 8, "--learning-rate", 0.02, "--resamples", 20)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory, backbone: Path, reviews: Path) -> Path:
    """A folder that `train` wrote."""
    output = tmp_path_factory.mktemp("trained") / "adapter"
    words = ("train", "--backbone", backbone, "--data", reviews, "--task", "classification")
    done = call(*words, "--method", "lora[r=4]", "--output", output, *FAST, "--json")
    assert done.code == 0, done.stderr
    document = done.document
    assert document["labels"] == ["negative", "positive"]
    assert (document["examples"], document["steps"], document["learning_rate"]) == (32, 40, 0.02)
    assert document["evaluation"]["data"].endswith("test.csv")
    assert document["evaluation"]["scores"]["accuracy"]["value"] == 1.0
    return output


def test_what_train_wrote(trained: Path) -> None:
    assert {path.name for path in trained.iterdir()} == {
        "adapter_config.json",
        "adapter.safetensors",
        "training_record.json",
    }
    record = json.loads((trained / "training_record.json").read_text())
    assert (record["task"], record["method"], record["max_length"]) == ("classification", "lora[r=4]", 48)
    assert record["scores"][0]["name"] == "accuracy"
    assert call("inspect", trained).code == 0


def test_evaluate_measures_what_was_trained(trained: Path, reviews: Path, backbone: Path) -> None:
    done = call("evaluate", trained, "--data", reviews, "--resamples", 20, "--json")
    assert done.code == 0, done.stderr
    assert done.document["examples"] == 4
    assert done.document["scores"]["accuracy"] == {"value": 1.0, "low": 1.0, "high": 1.0}
    words = ("--data", reviews / "train.jsonl", "--backbone", backbone, "--limit", 6, "--resamples", 0)
    again = call("evaluate", trained, *words)
    assert again.code == 0
    assert "6 examples" in again.stdout
    assert "accuracy" in again.stdout


def test_load_lets_it_answer(trained: Path) -> None:
    words = ("load", trained, "--text", "the food was good .", "--text", "the film was bad .")
    done = call(*words, "--json")
    assert [answer["answer"] for answer in done.document["answers"]] == ["positive", "negative"]
    assert "positive" in call(*words).stdout


def test_load_copies_the_files(trained: Path, tmp_path: Path) -> None:
    done = call("load", trained, "--to", tmp_path / "copy", "--json")
    assert done.document["folder"] == str(tmp_path / "copy")
    assert call("inspect", tmp_path / "copy").code == 0
    assert "could not be copied" in refused("load", trained, "--to", trained)


def test_a_folder_with_an_adapter_is_not_overwritten(trained: Path, backbone: Path, reviews: Path) -> None:
    words = ("train", "--backbone", backbone, "--data", reviews, "--task", "classification")
    assert "holds an adapter already" in refused(*words, "--output", trained)


@pytest.fixture
def words(backbone: Path, tmp_path: Path) -> tuple[object, ...]:
    """The start of a call of `train`, in which options are added or repeated."""
    return ("train", "--backbone", backbone, "--task", "classification", "--output", tmp_path / "out")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "holds no rows"),
        ('{"text": "a", "label": 1}\n{"text" "b"}\n', "line 2 is not JSON"),
        ('{"text": "a", "label": 1}\n{"text": "b"}\n', "line 2 has no 'label'"),
        ('{"body": "a", "label": 1}\n', "--column text=NAME"),
        ('{"text": "a", "label": 1}\n{"text": "b", "label": 1}\n', "there is nothing to tell apart"),
        ('{"text": "a", "label": [1]}\n', "'label' must be text"),
    ],
)
def test_bad_data_is_named(words: tuple[object, ...], tmp_path: Path, content: str, message: str) -> None:
    path = tmp_path / "data.jsonl"
    path.write_text(content)
    assert message in refused(*words, "--data", path)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--data", "missing.jsonl"), "There is no file or folder 'missing.jsonl'"),
        (("--method", "lorra"), "lorra"),
        (("--method", "lora[rank=4]"), "rank"),
        (("--method", "dynamic"), "no adapter"),
        (("--method", "trainable_tokens"), "token_indices"),
        (("--task", "poetry"), "There is no task 'poetry'; there are:"),
        (
            ("--task", "seq2seq", "--column", "source=text", "--column", "target=label"),
            "needs an encoder-decoder",
        ),
        (("--backbone", "/nowhere"), "The backbone '/nowhere' could not be loaded"),
        (("--column", "text=body"), "has no column 'body'; it has text, label"),
        (("--column", "text"), "--column is written KEY=VALUE"),
        (("--max-length", "1000"), "reads at most 48 tokens"),
        (("--eval-data", "missing.csv"), "There is no file or folder 'missing.csv'"),
        (("--output", __file__), "is a file"),
    ],
)
def test_bad_options_are_named(
    words: tuple[object, ...], reviews: Path, options: tuple[str, ...], message: str
) -> None:
    assert message in refused(*words, "--data", reviews, *options)


def test_without_a_network(words: tuple[object, ...], reviews: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    assert "could not be loaded" in refused(*words, "--data", reviews, "--backbone", "owner/never-seen")


TASKS = {
    "regression": (bert_backbone, {"text": "a film", "score": 1.5}, "mse", "regression", float),
    "tagging": (bert_backbone, {"tokens": ["anna", "eats"], "tags": ["B-PER", "O"]}, "f1", "tagging", list),
    "qa": (
        bert_backbone,
        {"question": "who ?", "context": "anna eats", "answers": "anna"},
        "exact_match",
        "question_answering",
        None,
    ),
    "causal-lm": (gpt2_backbone, {"text": "anna eats the good food ."}, "perplexity", None, None),
    "seq2seq": (t5_backbone, {"source": "a film", "target": "good"}, "rougeL", None, str),
}


@pytest.mark.parametrize("task", TASKS)
def test_every_task_is_trained_measured_and_asked(tmp_path: Path, task: str) -> None:
    make, row, measure, head, kind = TASKS[task]
    data = tmp_path / "data.jsonl"
    data.write_text("\n".join([json.dumps(row)] * 8))
    words = ("--data", data, "--resamples", 20, "--json")
    made = ("--backbone", make(tmp_path / "backbone"), "--output", tmp_path / "out")
    done = call("train", "--task", task, "--epochs", 1, "--eval-data", data, *made, *words)
    assert done.code == 0, done.stderr
    measured = call("evaluate", tmp_path / "out", *words).document
    assert measured["task"] == task
    assert measured["scores"][measure] == done.document["evaluation"]["scores"][measure]
    said = call("inspect", tmp_path / "out", "--json").document["head"]
    assert (said and said["type"]) == head
    asked = ("load", tmp_path / "out", "--text", "anna eats")
    if kind is None:
        assert "does not answer to a text alone" in refused(*asked)
    else:
        assert isinstance(call(*asked, "--json").document["answers"][0]["answer"], kind)


def test_evaluate_takes_an_adapter_of_another_format(peft: Path, backbone: Path, tmp_path: Path) -> None:
    data = tmp_path / "data.jsonl"
    data.write_text('{"text": "good film", "label": 0}\n{"text": "bad film", "label": 2}\n')
    words = ("evaluate", peft, "--data", data, "--resamples", 5, "--json")
    done = call(*words, "--backbone", backbone)
    assert done.code == 0, done.stderr
    assert (done.document["task"], done.document["examples"]) == ("classification", 2)
    data.write_text('{"text": "good film", "label": 3}\n')
    assert "learnt: LABEL_0, LABEL_1, LABEL_2" in call(*words, "--backbone", backbone).document["error"]


def test_evaluate_refuses(native: Path, peft: Path, reviews: Path, backbone: Path, tmp_path: Path) -> None:
    words = ("--data", reviews, "--backbone", backbone)
    assert "has a head for classification, so it cannot do qa" in refused(
        "evaluate", native, *words, "--task", "qa"
    )
    assert "has no split dev" in refused("evaluate", native, *words, "--split", "dev")
    assert "There is no folder or archive" in refused("evaluate", tmp_path / "no", *words)
    other = tmp_path / "other.jsonl"
    other.write_text('{"text": "a", "label": "neutral"}\n')
    message = refused("evaluate", native, "--backbone", backbone, "--data", other)
    assert "line 1: the label 'neutral' is none of those that were learnt: negative, positive" in message
    (native / "training_record.json").write_text("{}")
    assert "training_record.json cannot be used" in refused("evaluate", native, *words)
