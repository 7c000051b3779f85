"""Embeddings of strangers: what is passed over, what is refused, and the model as it was after a refusal."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers as hf
from safetensors.torch import load_file, save_file

import adapter_lib
from adapter_lib.spec.embedding_manifest import EMBEDDING_FILE, EMBEDDING_WEIGHTS, TOKENIZER_FOLDER
from adapter_lib.spec.errors import AdapterLibError, LoadError
from tests.adapter_lib.formats.fixtures.making import words
from tests.adapter_lib.tiny import VOCABULARY, build, output


def _model() -> Any:
    return adapter_lib.init(build("bert", hf.AutoModelForMaskedLM))


def _without_head() -> Any:
    return adapter_lib.init(build("bert", hf.AutoModelForMaskedLM).bert)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    model = _model()
    model.add_embeddings("new", words(30))
    model.save_embeddings(tmp_path / "new", "new")
    return tmp_path / "new"


def test_one_folder_holds_tensors_and_tokenizer(folder: Path) -> None:
    assert sorted(path.name for path in folder.iterdir()) == [
        EMBEDDING_WEIGHTS,
        EMBEDDING_FILE,
        TOKENIZER_FOLDER,
    ]
    shapes = {key: tuple(tensor.shape) for key, tensor in load_file(folder / EMBEDDING_WEIGHTS).items()}
    assert shapes == {"tokens": (32, 32), "bias": (32,)}
    document = json.loads((folder / EMBEDDING_FILE).read_text())
    assert (document["tokens"], document["padding"], document["has_tokenizer"]) == (32, 0, True)


def test_a_model_without_a_head_passes_over_what_is_for_one(folder: Path) -> None:
    model = _without_head()
    model.load_embeddings(folder)
    assert model.loaded_embeddings["new"] == 32


def test_what_a_head_needs_is_missed_or_starts_anew(folder: Path, tmp_path: Path) -> None:
    model = _without_head()
    model.load_embeddings(folder)
    model.save_embeddings(tmp_path / "bare", "new")
    other = _model()
    with pytest.raises(LoadError, match=r"The tensor bias \[32\] is missing"):
        other.load_embeddings(tmp_path / "bare")
    other.load_embeddings(tmp_path / "bare", strict=False)
    assert not other.get_output_embeddings().bias.any()
    assert torch.equal(other.get_input_embeddings().weight, model.get_input_embeddings().weight)


def _document(change: Callable[[Any], object]) -> Callable[[Path], None]:
    def apply(folder: Path) -> None:
        document = json.loads((folder / EMBEDDING_FILE).read_text())
        change(document)
        (folder / EMBEDDING_FILE).write_text(json.dumps(document))

    return apply


def _tensors(change: Callable[[dict[str, torch.Tensor]], object]) -> Callable[[Path], None]:
    def apply(folder: Path) -> None:
        tensors = load_file(folder / EMBEDDING_WEIGHTS)
        change(tensors)
        save_file(tensors, folder / EMBEDDING_WEIGHTS)

    return apply


def _truncate(folder: Path) -> None:
    path = folder / EMBEDDING_WEIGHTS
    path.write_bytes(path.read_bytes()[:-1])


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (_document(lambda d: d.update(tokens=10**9)), "tokens must be a whole number from 1 to 100000000"),
        (_document(lambda d: d.update(tokens=10**8)), "asks for 3300000000 numbers, but its file has 1056"),
        (_document(lambda d: d.update(tokens=0)), "tokens must be"),
        (_document(lambda d: d.update(padding=32)), "padding must be a whole number from 0 to 31"),
        (_document(lambda d: d.update(name="../x")), "cannot name an adapter"),
        (_document(lambda d: d.update(schema_version=3)), "newer schema version"),
        (_document(lambda d: d.update(extra=0)), "'extra' is not a known key"),
        (_document(lambda d: d.update(family="llama")), "made for the family 'llama'"),
        (_tensors(lambda t: t.pop("tokens")), "holds no token embeddings"),
        (_tensors(lambda t: t.update(tokens=torch.zeros(32, 31))), "holds no token embeddings"),
        (_tensors(lambda t: t.update(tokens=torch.zeros(32, 32, dtype=torch.int64))), "holds no token emb"),
        (_truncate, "bytes"),
        (lambda f: (f / EMBEDDING_WEIGHTS).unlink(), "cannot be read"),
        (lambda f: (f / EMBEDDING_FILE).write_text("[" * 99_999), "is not valid JSON"),
        (
            lambda f: (f / TOKENIZER_FOLDER / "tokenizer.json").write_text("{}"),
            "The tokenizer in .* cannot be read",
        ),
        (
            lambda f: words(40).save_pretrained(f / TOKENIZER_FOLDER),
            "has the token 41, but there are embeddings",
        ),
    ],
)
def test_hostile_folders_give_one_error(change: Callable[[Path], object], said: str, folder: Path) -> None:
    change(folder)
    model = _model()
    before = output(model)
    with pytest.raises(AdapterLibError, match=said):
        model.load_embeddings(folder, strict=False)
    assert torch.equal(output(model), before)
    assert (model.loaded_embeddings, model.config.vocab_size) == ({"default": VOCABULARY}, VOCABULARY)
    assert not any("adapter_lib_embeddings" in key for key in model.state_dict())
