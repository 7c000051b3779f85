"""Other vocabularies: what is copied, what follows, what is refused; the model's own stays bit for bit."""

import copy
import pickle
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers as hf
from safetensors.torch import load_file
from torch import nn

import adapter_lib
from adapter_lib import Stack
from adapter_lib.spec.errors import (
    AdapterLibError,
    AttachError,
    CompositionError,
    LoadError,
    UnknownNameError,
)
from tests.adapter_lib.formats.fixtures.making import words
from tests.adapter_lib.tiny import CONFIGS, VOCABULARY, build, output, shake

OWN = words(VOCABULARY - 2)
# Every third word of the model's own vocabulary, by the model's own names, and three more.
SOME = [f"w{number}" for number in range(0, VOCABULARY - 2, 3)]
NEW = words(0, *SOME, "neu", "er", "mehr")
CASES = [
    ("bert", hf.AutoModel, False),
    ("bert", hf.AutoModelForMaskedLM, True),
    ("gpt2", hf.AutoModelForCausalLM, True),
    ("llama", hf.AutoModelForCausalLM, False),
    ("llama", hf.AutoModelForCausalLM, True),
    ("distilbert", hf.AutoModelForMaskedLM, True),
    ("t5", hf.AutoModelForSeq2SeqLM, True),
    ("bart", hf.AutoModelForSeq2SeqLM, True),
]


def _config(family: str) -> Any:
    if family == "t5":
        return hf.T5Config(d_model=32, d_kv=8, d_ff=48, num_layers=2, num_heads=4, vocab_size=VOCABULARY)
    if family == "bart":
        return hf.BartConfig(
            d_model=32,
            encoder_layers=1,
            decoder_layers=1,
            encoder_attention_heads=4,
            decoder_attention_heads=4,
            encoder_ffn_dim=48,
            decoder_ffn_dim=48,
            vocab_size=VOCABULARY,
            max_position_embeddings=64,
            pad_token_id=0,
            bos_token_id=1,
            eos_token_id=2,
            decoder_start_token_id=2,
            forced_eos_token_id=2,
        )
    return CONFIGS[family]()


def _model(family: str = "bert", auto: Any = hf.AutoModelForMaskedLM, is_tied: bool = True) -> Any:
    torch.manual_seed(7)
    config = _config(family)
    config.tie_word_embeddings = is_tied
    return adapter_lib.init(auto.from_config(config).eval())


def _call(model: Any, tokens: list[int]) -> torch.Tensor:
    ids = torch.tensor([tokens])
    given = {"decoder_input_ids": ids} if model.config.is_encoder_decoder else {}
    with torch.no_grad():
        found: torch.Tensor = model(input_ids=ids, attention_mask=torch.ones_like(ids), **given)[0]
    return found


def _ids(tokenizer: Any, names: list[str]) -> list[int]:
    found: list[int] = tokenizer.convert_tokens_to_ids(names)
    return found


def _state(model: nn.Module) -> dict[str, torch.Tensor]:
    return {key: value.clone() for key, value in model.state_dict().items() if "adapter_lib_" not in key}


def _same(model: nn.Module, state: dict[str, torch.Tensor]) -> bool:
    now = _state(model)
    return list(now) == list(state) and all(torch.equal(now[key], state[key]) for key in state)


@pytest.mark.parametrize(("family", "auto", "is_tied"), CASES)
def test_shared_words_say_the_same(family: str, auto: Any, is_tied: bool) -> None:
    model = _model(family, auto, is_tied)
    before, said = _state(model), SOME[:5]
    own = _call(model, _ids(OWN, said))
    copied = model.add_embeddings("new", NEW, reference_tokenizer=OWN)
    assert copied == len(SOME) + 2
    assert model.loaded_embeddings == {"default": VOCABULARY, "new": len(NEW)}
    assert (model.active_embeddings, model.config.vocab_size) == ("new", len(NEW))
    new = _call(model, _ids(NEW, said))
    if auto is not hf.AutoModel:
        assert new.shape[-1] == len(NEW)
        new, own = new[..., _ids(NEW, SOME)], own[..., _ids(OWN, SOME)]
    assert torch.allclose(new, own, atol=1e-6)
    _call(model, _ids(NEW, ["mehr", "neu"]))
    model.set_active_embeddings("default")
    assert model.config.vocab_size == VOCABULARY
    assert _same(model, before)
    assert torch.equal(_call(model, [3, 4]), _call(_model(family, auto, is_tied), [3, 4]))
    model.set_active_embeddings("new")
    adapter_lib.detach(model)
    assert _same(model, before)
    assert (model.config.vocab_size, list(model.state_dict())) == (VOCABULARY, list(before))


@pytest.mark.parametrize("is_tied", [True, False])
def test_the_head_follows(is_tied: bool) -> None:
    model = _model("llama", hf.AutoModelForCausalLM, is_tied)
    embedding, head = model.get_input_embeddings(), model.get_output_embeddings()
    model.add_embeddings("new", NEW)
    assert (model.get_input_embeddings() is embedding, model.get_output_embeddings() is head) == (True, True)
    assert (head.weight is embedding.weight) == is_tied
    assert (embedding.num_embeddings, head.out_features, model.vocab_size) == (len(NEW),) * 3
    ids = torch.tensor([[2, 3, 4]])
    loss = model(input_ids=ids, labels=ids).loss
    assert torch.isfinite(loss)
    assert model.generate(ids, max_new_tokens=3, do_sample=False).max() < len(NEW)


def test_what_is_not_copied_starts_as_the_class_starts() -> None:
    model = _model("gpt2", hf.AutoModelForCausalLM)
    assert model.add_embeddings("none", NEW) == 0
    weight = model.get_input_embeddings().weight
    assert abs(float(weight.detach().std()) - model.config.initializer_range) < 0.005
    with torch.no_grad():
        weight.add_(1.0)
    # The vocabulary that it refers to now brings its own tokenizer.
    assert model.add_embeddings("more", words(0, *SOME, "neu"), "none") == len(SOME) + 3
    assert float(model.get_input_embeddings().weight.detach().mean()) > 0.9


def test_adapters_act_on_whatever_is_active() -> None:
    model = _model("bert", hf.AutoModel)
    for name, config in {"lora": "lora[r=2]", "inv": "seq_bn_inv", "prompt": "prompt_tuning"}.items():
        model.add_adapter(name, config)
        shake(model, name)
    model.set_active_adapters(Stack("lora", "inv", "prompt"))
    own = _call(model, _ids(OWN, SOME[:5]))
    model.add_embeddings("new", NEW, reference_tokenizer=OWN)
    assert torch.allclose(_call(model, _ids(NEW, SOME[:5])), own, atol=1e-6)
    model.delete_embeddings("new")
    assert torch.equal(_call(model, _ids(OWN, SOME[:5])), own)
    assert model.loaded_embeddings == {"default": VOCABULARY}


@pytest.mark.parametrize(
    "config",
    [
        "trainable_tokens[token_indices=[3, 4]]",
        "trainable_tokens[token_indices=[3, 4], tied_head=true]",
        "lora[r=2, targets=[embed_tokens]]",
    ],
)
def test_an_adapter_on_the_matrix_itself_belongs_to_its_vocabulary(config: str) -> None:
    model = _model("llama", hf.AutoModelForCausalLM)
    model.add_embeddings("new", NEW)
    model.add_adapter("one", config)
    shapes = {tuple(p.shape) for key, p in model.named_parameters() if "adapter:one" in key}
    assert not any(VOCABULARY in shape for shape in shapes)
    with pytest.raises(AttachError, match=r"'one' acts on .* itself, so it belongs to the vocabulary 'new'"):
        model.set_active_embeddings("default")
    with pytest.raises(AttachError, match="delete it before embeddings are exchanged"):
        model.add_embeddings("other", NEW)
    assert model.active_embeddings == "new"
    model.delete_adapter("one")
    model.set_active_embeddings("default")


def test_only_other_embeddings_are_trained() -> None:
    model = _model()
    model.add_adapter("one", "lora[r=2]")
    with pytest.raises(AttachError, match="those are the model's own, which stay"):
        model.train_adapter("one", train_embeddings=True)
    assert model.active_adapters is None
    model.add_embeddings("new", NEW)
    model.train_adapter("one")
    assert not any(p.requires_grad for key, p in model.named_parameters() if "lora" not in key)
    before = _state(_model())
    model.train_adapter("one", train_embeddings=True)
    weight = model.get_input_embeddings().weight
    optimizer = torch.optim.SGD([p for p in model.parameters() if p.requires_grad], lr=1.0)
    ids = torch.tensor([[2, 3, 4]])
    model(input_ids=ids, labels=ids).loss.backward()
    was = weight.detach().clone()
    optimizer.step()
    assert not torch.equal(weight, was)
    model.set_active_embeddings("default")
    model.delete_adapter("one")
    assert _same(model, before)
    model.set_active_embeddings("new")
    assert model.get_input_embeddings().weight is weight


@pytest.mark.parametrize("family", ["bart", "llama"])
def test_a_trainers_checkpoint_brings_all_of_them_back(family: str, tmp_path: Path) -> None:
    auto = hf.AutoModelForSeq2SeqLM if family == "bart" else hf.AutoModelForCausalLM
    model, other = _model(family, auto), _model(family, auto)
    for each, seed in ((model, 1), (other, 2)):
        torch.manual_seed(seed)
        each.add_adapter("one", "lora[r=2]")
        each.add_embeddings("new", NEW)
        each.add_embeddings("more", words(30))
    model.save_pretrained(tmp_path / "checkpoint-7")
    tensors = load_file(tmp_path / "checkpoint-7" / "model.safetensors")
    other.load_state_dict(tensors, strict=False)
    for name in ("more", "new", "default"):
        for each in (model, other):
            each.set_active_embeddings(name)
        assert torch.equal(_call(other, [2, 3]), _call(model, [2, 3]))


@pytest.mark.matrix
def test_compiled_models_follow() -> None:
    model = _model("bert", hf.AutoModel)
    model.add_embeddings("new", NEW)
    compiled = torch.compile(model, backend="eager")
    for name in ("new", "default", "new"):
        model.set_active_embeddings(name)
        assert torch.equal(_call(compiled, [2, 3]), _call(model, [2, 3]))


def test_copies_have_their_own() -> None:
    model = _model()
    model.add_embeddings("new", NEW)
    for twin in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):  # noqa: S301
        assert torch.equal(_call(twin, [2, 3]), _call(model, [2, 3]))
        twin.set_active_embeddings("default")
        assert (twin.config.vocab_size, model.config.vocab_size) == (VOCABULARY, len(NEW))
        with torch.no_grad():
            twin.get_input_embeddings().weight.zero_()
        assert model.active_embeddings == "new"
    model.set_active_embeddings("default")
    assert torch.equal(_call(model, [2, 3]), _call(_model(), [2, 3]))


def test_a_move_takes_all_of_them_along() -> None:
    model = _model().to(torch.float64)
    model.add_embeddings("new", NEW)
    model.set_active_embeddings("default")
    model.to(torch.float32)
    model.set_active_embeddings("new")
    assert _call(model, [2, 3]).dtype == torch.float32
    head, embedding = model.get_output_embeddings(), model.get_input_embeddings()
    assert head.weight is embedding.weight


def test_what_cannot_be_is_refused_with_the_reason() -> None:
    model = _model()
    model.add_embeddings("new", NEW)
    cases: list[tuple[type[AdapterLibError], str, Any]] = [
        (AttachError, "embeddings 'new' already", lambda: model.add_embeddings("new", NEW)),
        (CompositionError, "cannot name", lambda: model.add_embeddings("a/b", NEW)),
        (
            UnknownNameError,
            "no embeddings 'x'; there are: default, new",
            lambda: model.set_active_embeddings("x"),
        ),
        (UnknownNameError, "no embeddings 'x'", lambda: model.add_embeddings("y", NEW, "x")),
        (UnknownNameError, "no embeddings 'x'", lambda: model.delete_embeddings("x")),
        (AttachError, "own embeddings cannot be deleted", lambda: model.delete_embeddings("default")),
        (AttachError, "embedding_dim is 7", lambda: model.add_embeddings("y", NEW, embedding_dim=7)),
        (AttachError, "no tokenizer with a vocabulary", lambda: model.add_embeddings("y", object())),
        (
            AttachError,
            "another model's tokenizer",
            lambda: model.add_embeddings("y", words(500), reference_tokenizer=words(500)),
        ),
    ]
    for kind, said, call in cases:
        with pytest.raises(kind, match=said):
            call()
    assert model.loaded_embeddings == {"default": VOCABULARY, "new": len(NEW)}
    roberta = adapter_lib.init(build("roberta"))
    with pytest.raises(AttachError, match="RobertaEmbeddings counts positions from the token that pads, 1"):
        roberta.add_embeddings("new", NEW)
    untied = _model("t5", hf.AutoModelForSeq2SeqLM, is_tied=False)
    with pytest.raises(AttachError, match="none of its towers reads the embeddings"):
        untied.add_embeddings("new", NEW)
    vit: Any = adapter_lib.init(
        hf.ViTModel(hf.ViTConfig(hidden_size=16, num_hidden_layers=1, num_attention_heads=2, image_size=32))
    )
    with pytest.raises(AttachError, match="ViTModel has no plain token embeddings"):
        vit.add_embeddings("new", NEW)
    assert vit.active_embeddings == "default"


def test_a_pair_of_vocabularies_changes_only_what_is_read() -> None:
    torch.manual_seed(3)
    encoder, decoder = _config("bert"), _config("bert")
    decoder.is_decoder = decoder.add_cross_attention = True
    decoder.vocab_size = 50
    base = hf.EncoderDecoderModel(
        hf.EncoderDecoderConfig.from_encoder_decoder_configs(encoder, decoder)
    ).eval()
    model: Any = adapter_lib.init(base)
    given = {"input_ids": torch.tensor([[2, 3]]), "decoder_input_ids": torch.tensor([[4, 5]])}
    model.add_embeddings("new", NEW)
    assert model(**given).logits.shape[-1] == 50
    assert (model.config.encoder.vocab_size, model.config.decoder.vocab_size) == (len(NEW), 50)


def test_saving_a_checkpoint_holds_what_is_active(tmp_path: Path) -> None:
    model = _model()
    model.add_embeddings("new", NEW, reference_tokenizer=OWN)
    model.save_pretrained(tmp_path)
    plain = hf.AutoModelForMaskedLM.from_pretrained(tmp_path).eval()
    assert torch.equal(_call(plain, [2, 3, 4]), _call(model, [2, 3, 4]))
    assert not any("adapter_lib" in key for key in plain.state_dict())


@pytest.mark.parametrize("auto", [hf.AutoModel, hf.AutoModelForMaskedLM])
def test_they_come_back_with_their_tokenizer(auto: Any, tmp_path: Path) -> None:
    model = _model("bert", auto)
    model.add_embeddings("new", NEW, reference_tokenizer=OWN)
    with torch.no_grad():
        model.get_input_embeddings().weight.mul_(1.5)
    model.save_embeddings(tmp_path / "new", "new")
    other = _model("bert", auto)
    tokenizer = other.load_embeddings(tmp_path / "new")
    assert tokenizer.get_vocab() == NEW.get_vocab()
    assert torch.equal(_call(other, [2, 3]), _call(model, [2, 3]))
    assert other.add_embeddings("third", words(0, "neu"), "new") == 3
    other.load_embeddings(tmp_path / "new", "again")
    with pytest.raises(AttachError, match="embeddings 'again' already"):
        other.load_embeddings(tmp_path / "new", "again")
    other.save_embeddings(tmp_path / "own", "default")
    assert other.load_embeddings(tmp_path / "own", "copy") is None
    assert torch.equal(_call(other, [2, 3]), _call(_model("bert", auto), [2, 3]))
    with pytest.raises(UnknownNameError):
        model.save_embeddings(tmp_path / "x", "x")
    with pytest.raises(LoadError, match=r"is not empty and has no embedding_config\.json"):
        model.save_embeddings(tmp_path, "new")


def test_a_set_up_brings_its_embeddings(tmp_path: Path) -> None:
    model = _model("bert", hf.AutoModel)
    model.add_embeddings("new", NEW)
    model.add_adapter("one", "trainable_tokens[token_indices=[3, 40]]")
    shake(model, "one")
    model.set_active_adapters("one")
    model.save_adapter_setup(tmp_path)
    other = _model("bert", hf.AutoModel)
    report = other.load_adapter_setup(tmp_path)
    assert report.members[0].name == "embeddings/new"
    assert torch.equal(
        output(other, input_ids=torch.tensor([[3, 40]]), attention_mask=torch.ones(1, 2)),
        output(model, input_ids=torch.tensor([[3, 40]]), attention_mask=torch.ones(1, 2)),
    )
    with pytest.raises(AttachError, match="brings new, one"):
        other.load_adapter_setup(tmp_path)
    third = _model("bert", hf.AutoModel)
    (tmp_path / "adapters" / "one" / "adapter.safetensors").write_bytes(b"short")
    with pytest.raises(AdapterLibError):
        third.load_adapter_setup(tmp_path)
    assert (third.loaded_embeddings, third.config.vocab_size) == ({"default": VOCABULARY}, VOCABULARY)
    assert list(third.state_dict()) == list(_model("bert", hf.AutoModel).state_dict())
    assert _same(third, _state(_model("bert", hf.AutoModel)))
