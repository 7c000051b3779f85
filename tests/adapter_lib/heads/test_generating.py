"""Language-model heads of ours with `generate`, its cache, and invertible adapters."""

from pathlib import Path
from typing import Any

import pytest
import torch
import transformers as hf
from torch import Tensor

import adapter_lib
from adapter_lib import AutoAdapterModel, Parallel, Stack
from adapter_lib.spec.composition import Average
from adapter_lib.spec.errors import AttachError
from tests.adapter_lib.tiny import prepared, shake
from tests.adapter_lib.zoo import MODELS
from tests.adapter_lib.zoo.tiny_model import stirred

_FAMILIES = ("gpt2", "llama", "bart", "t5", "whisper")


def _model(family: str) -> tuple[Any, dict[str, Tensor]]:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(2)
        model = AutoAdapterModel.from_config(MODELS[family].config())
        stirred(model)
    model.eval().generation_config.update(pad_token_id=0, eos_token_id=119, max_new_tokens=6)
    given = MODELS[family].inputs(rows=2, side="left")
    return model, {key: value for key, value in given.items() if "decoder" not in key}


@pytest.mark.parametrize("family", _FAMILIES)
def test_generating_is_what_the_models_own_head_generates(family: str) -> None:
    model, given = _model(family)
    model.add_adapter("a", "lora[r=2, init_weights=bert]")
    model.set_active_adapters("a", head=None)
    options = {"do_sample": False, "output_logits": True, "return_dict_in_generate": True}
    expected = model.generate(**given, **options)
    model.adopt_head("own")
    model.set_active_adapters("a", head="own")
    seen: list[int] = []
    head = model.adapter_runtime.heads.get("own")
    original = head.scores

    def counting(hidden: Tensor, call: Any) -> Any:
        seen.append(hidden.shape[1])
        return original(hidden, call)

    head.scores = counting
    found = model.generate(**given, **options)
    assert torch.equal(found.sequences, expected.sequences)
    torch.testing.assert_close(found.logits, expected.logits, atol=1e-5, rtol=0)
    assert len(seen) >= 5, "the head made the logits"
    assert set(seen) == {1}, "with a cache, scores are of one position a step"


@pytest.mark.parametrize("family", ["gpt2", "bart"])
def test_beams_and_heads_with_weights_of_their_own(family: str) -> None:
    model, given = _model(family)
    add = model.add_causal_lm_head if family == "gpt2" else model.add_seq2seq_lm_head
    add("one", tied=False)
    model.active_head = "one"
    cached = model.generate(**given, num_beams=2, do_sample=False)
    assert torch.equal(model.generate(**given, num_beams=2, do_sample=False, use_cache=False), cached)


def test_a_tied_head_follows_the_embeddings() -> None:
    model, given = _model("gpt2")
    model.add_causal_lm_head("one")
    model.active_head = "one"
    with torch.no_grad():
        before = model(**given).logits
        model.get_input_embeddings().weight[5] += 1.0
        after = model(**given).logits
    assert not torch.allclose(before[..., 5], after[..., 5])
    assert not list(model.adapter_runtime.heads.parameters())


@pytest.mark.parametrize("method", ["seq_bn_inv", "seq_bn|glow"])
def test_invertible_adapters_are_undone_in_front_of_the_vocabulary(method: str, tmp_path: Path) -> None:
    own = prepared("bert", hf.AutoModelForMaskedLM, a=method, b="seq_bn_inv")
    given = MODELS["bert"].inputs()
    model: Any = adapter_lib.init(own.bert.__class__(own.config, add_pooling_layer=False)).eval()
    clean = {key: value for key, value in own.bert.state_dict().items() if "adapter_lib_" not in key}
    model.load_state_dict(clean)
    for name in ("a", "b"):
        own.save_adapter(tmp_path / name, name)
        model.load_adapter(tmp_path / name)
    model.adopt_head("own", own)
    for composition in ("a", Stack("a", "b")):
        own.set_active_adapters(composition)
        model.set_active_adapters(composition, head="own")
        with torch.no_grad():
            torch.testing.assert_close(model(**given).logits, own(**given).logits, atol=1e-5, rtol=0)
    model.set_active_adapters(Average("a", "b"), head="own")
    with pytest.raises(AttachError, match="mixes invertible adapters"):
        model(**given)


def test_parallel_language_models_undo_their_own() -> None:
    model, given = _model("gpt2")
    for name in ("a", "b"):
        model.add_adapter(name, "seq_bn_inv")
        shake(model, name)
        model.add_causal_lm_head(name, tied=False)
    alone = []
    with torch.no_grad():
        for name in ("a", "b"):
            model.active_adapters = name
            alone.append(model(**given).logits)
        model.active_adapters = Parallel("a", "b")
        found = model(**given).logits
    torch.testing.assert_close(found, tuple(alone), atol=1e-5, rtol=0)


def test_a_head_over_classes_generates_nothing() -> None:
    model, given = _model("gpt2")
    model.add_classification_head("one", num_labels=2)
    model.active_head = "one"
    with pytest.raises(AttachError, match="generate needs one active head over the vocabulary"):
        model.generate(**given)


def test_labels_of_one_of_several_heads_make_no_inputs() -> None:
    model, given = _model("bart")
    model.add_seq2seq_lm_head("one")
    model.add_classification_head("two", num_labels=2)
    labels = torch.ones(2, 3, dtype=torch.int64)
    model.active_head = "one"
    by_name = model(**given, labels={"one": labels})
    assert torch.equal(by_name.loss, model(**given, labels=labels).loss)
    model.active_head = ["one", "two"]
    asked = {"one": labels, "two": torch.tensor([0, 1])}
    with pytest.raises(AttachError, match="need decoder_input_ids for all rows"):
        model(**given, labels=asked)
    out = model(**given, labels=asked, decoder_input_ids=labels)
    assert [len(found) for found in out.logits] == [2, 2]
