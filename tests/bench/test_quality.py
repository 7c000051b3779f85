"""The quality bench on a tiny model: what it runs, keeps, goes on with and writes."""

import json
from pathlib import Path

import pytest
import torch
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

from bench.quality.__main__ import main
from bench.quality.contenders import FULL, HEAD, PROBE, contenders
from bench.quality.outcomes import Outcome, Plan, packed, stored
from bench.quality.report import lines_of, table, write
from bench.quality.texts import SETS, read

WORDS = ("[PAD]", "[UNK]", "good", "bad", "film", "very", "not")


@pytest.fixture(scope="module")
def backbone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A BERT of one layer and hidden size 16 with its tokenizer."""
    folder = tmp_path_factory.mktemp("bert")
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=len(WORDS),
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=16,
    )
    BertModel(config).save_pretrained(folder)
    words = Tokenizer(models.WordLevel({word: i for i, word in enumerate(WORDS)}, unk_token="[UNK]"))
    words.pre_tokenizer = pre_tokenizers.Whitespace()
    PreTrainedTokenizerFast(tokenizer_object=words, unk_token="[UNK]", pad_token="[PAD]").save_pretrained(
        folder
    )
    return folder


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One set whose label is which of two words stands in the sentence."""
    folder = tmp_path_factory.mktemp("texts")
    (folder / "cr").mkdir()
    for split, count in (("train", 48), ("test", 20)):
        rows = [{"text": f"{'very ' * (i % 3)}{WORDS[2 + i % 2]} film", "label": i % 2} for i in range(count)]
        lines = [json.dumps(row | {"label_name": WORDS[2 + int(row["label"])]}) for row in rows]
        (folder / "cr" / f"{split}.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


def _run(backbone: Path, data: Path, outcomes: Path, *more: str) -> None:
    arguments = (
        f"run --data {data} --backbone {backbone} --outcomes {outcomes} --sets cr --seeds 0 --epochs 8"
    )
    main([*arguments.split(), *more])


def test_contenders_learn_and_a_second_run_has_nothing_to_do(
    backbone: Path, data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    outcomes = tmp_path / "outcomes.jsonl"
    names = [FULL, HEAD, PROBE, "norm_tuning", "trainable_tokens"]
    _run(backbone, data, outcomes, "--only", *names)
    found = {outcome.plan.contender: outcome for outcome in stored(outcomes)}
    assert set(found) == set(names)
    assert found[PROBE].accuracy == 1.0
    assert found[HEAD].accuracy == 1.0
    assert found[HEAD].parameters == found[HEAD].head_parameters == 2 * 16 + 2
    assert found[FULL].parameters > found["trainable_tokens"].parameters > found[HEAD].parameters
    assert found["trainable_tokens"].parameters - found[HEAD].parameters == 4 * 16
    written = outcomes.read_text(encoding="utf-8")
    capsys.readouterr()
    _run(backbone, data, outcomes, "--only", *names)
    assert outcomes.read_text(encoding="utf-8") == written


def test_an_unknown_contender_is_named(backbone: Path, data: Path, tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="no contender 'nothing'"):
        _run(backbone, data, tmp_path / "outcomes.jsonl", "--only", "nothing")


def test_the_rows_that_were_right_are_kept() -> None:
    right = [False, True, True, False, False]
    assert _outcome("lora", "cr", right).answers() == right


def test_a_sample_is_the_same_whoever_draws_it(data: Path) -> None:
    sentences = read(data, "cr", "train")
    assert sentences.some(10, 0) == sentences.some(10, 0)
    assert sentences.some(10, 0) != sentences.some(10, 1)
    assert sorted(sentences.some(1000, 0).texts) == sorted(sentences.texts)


def test_the_table_compares_with_full_fine_tuning() -> None:
    half, most = [True, False] * 50, [True, True, True, False] * 25
    outcomes = [_outcome(FULL, name, most) for name in SETS] + [_outcome("lora", name, half) for name in SETS]
    full, lora = lines_of(outcomes)
    assert (full.mean, lora.mean) == (75.0, 50.0)
    difference, low, high = lora.against(full)
    assert difference == -25.0
    # The same rows are drawn for both, so the interval is that of the rows that only one answers.
    assert -31 < low < -25 < high < -19
    assert "| `lora` |" in table([full, lora])
    assert "-25.0" in table([full, lora])


def test_runs_at_other_rates_or_on_other_splits_are_not_in_the_table() -> None:
    assert not lines_of([_outcome("lora", "cr", [True], rate=1.0)])
    assert not lines_of([_outcome("lora", "cr", [True], split="validation")])


def test_the_page_keeps_what_stands_around_the_table(tmp_path: Path) -> None:
    page = tmp_path / "results.md"
    page.write_text("above\n<!-- quality: begin -->\nold\n<!-- quality: end -->\nbelow\n", encoding="utf-8")
    write([_outcome("lora", name, [True, False]) for name in SETS], tmp_path)
    text = page.read_text(encoding="utf-8")
    assert text.startswith("above\n")
    assert text.endswith("\nbelow\n")
    assert "old" not in text
    assert ">lora<" in (tmp_path / "results-quality.svg").read_text(encoding="utf-8")


def _outcome(
    name: str, text_set: str, right: list[bool], *, rate: float | None = None, split: str = "test"
) -> Outcome:
    shipped = next(contender.learning_rate for contender in contenders() if contender.name == name)
    plan = Plan(name, text_set, 0, shipped if rate is None else rate, 4000, 2, split)
    accuracy = sum(right) / len(right)
    return Outcome(plan, accuracy, packed(right), len(right), 10, 5, 0.1, 0.5, 0.3, {"torch": "2"})
