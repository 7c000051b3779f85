"""Soft prompts on every architecture of the zoo: as if the prompts were words, or states among the states."""

from typing import Any

import pytest
import torch
from torch import Tensor

import adapter_lib
from adapter_lib import AdapterSetup, Parallel
from adapter_lib.spec.errors import AdapterLibError
from tests.adapter_lib.contract.pairs import few
from tests.adapter_lib.methods.prompts import as_words, prompts_of, without
from tests.adapter_lib.tiny import shake
from tests.adapter_lib.zoo import MODELS

# Architectures where soft prompts are refused, and the word that gives the reason.
REFUSED = {
    "beit": "relative_position_bias",
    "data2vec-vision": "relative_position_bias",
    "swin": "relative_position_bias",
    "clap-audio": "relative_position_bias",
    "yolos": "mid_position_embeddings",
}
# Their own code takes single precision only, or gives NaN for padding in double.
SINGLE = {
    "mixtral", "qwen2-moe", "qwen3-moe", "olmoe", "phimoe", "gpt-oss", "granitemoe", "xglm", "speech_to_text",
    "gemma2", "vaultgemma", "bloom", "bloom-post", "mpt",
}  # fmt: skip
# Their own code counts angles in single precision, or masks with it.
HALF_SINGLE = {"esm", "gptj", "gpt-neo", "paligemma", "gemma3"}
# A picture stands among the tokens.
ILLUSTRATED = {"llava", "paligemma", "gemma3"}
# Prompts of different lengths in one batch are refused: nothing can hide the shorter rows' rest.
EVEN_ONLY = {
    "videomae": "takes no mask",
    "blip-vision": "takes no mask",
    "whisper": "takes no mask",
    "nystromformer": "averages over padding",
}

# WavLM's own attention mixes two types of masks.
pytestmark = pytest.mark.filterwarnings("ignore:Support for mismatched key_padding_mask")

WORKING = [name for name in MODELS if name not in REFUSED]


def _kind(name: str) -> torch.dtype:
    return torch.float32 if name in SINGLE else torch.float64


def _tolerance(name: str) -> dict[str, float]:
    return {"atol": 1e-5 if name in SINGLE else 1e-6 if name in HALF_SINGLE else 1e-10, "rtol": 0}


def _given(name: str, side: str) -> dict[str, Tensor]:
    """The zoo's inputs in the type of the test; every row of text ends in an EOS."""
    given = MODELS[name].inputs(side=side)
    if "input_ids" in given and name not in ILLUSTRATED:
        mask = given["attention_mask"]
        last = mask.shape[1] - 1 - mask.flip(1).argmax(1)
        given["input_ids"] = given["input_ids"].scatter(1, last[:, None], 2)
    return {
        key: value.to(_kind(name)) if value.is_floating_point() else value for key, value in given.items()
    }


def _prepared(name: str, **adapters: str) -> Any:
    model = adapter_lib.init(MODELS[name].build().to(_kind(name)))
    for adapter, config in adapters.items():
        model.add_adapter(adapter, config)
        shake(model, adapter)
    return model


def _run(model: Any, given: dict[str, Tensor], composition: Any) -> dict[str, Tensor]:
    with AdapterSetup(model, composition), torch.no_grad():
        return {key: value for key, value in model(**given).items() if isinstance(value, Tensor)}


def _tokens_only(key: str, value: Tensor, given: dict[str, Tensor]) -> Tensor:
    """Of states over the padded input, those that are no padding."""
    mask = given.get("attention_mask")
    over_input = key == "last_hidden_state" and "decoder_input_ids" not in given
    if not over_input or mask is None or value.shape[1] != mask.shape[1]:
        return value
    return value[mask.bool().repeat(len(value) // len(mask), 1)]


def _reads_tokens(model: Any) -> bool:
    point = next(iter(model.adapter_runtime.injection.points.points.values()))
    return point.tower.tokens is not None


@pytest.mark.parametrize("name", few(tuple(WORKING), "prompts", 60))
def test_a_prompt_is_as_good_as_words(name: str) -> None:
    model = _prepared(
        name, a="prompt_tuning[prompt_length=3]", b="prompt_tuning[prompt_length=3, combine=after_first]"
    )
    base = MODELS[name].build().to(_kind(name))
    for side, adapter, behind in (("right", "a", 0), ("left", "b", 1)):
        given = _given(name, side)
        without_prompt, found = _run(model, given, None), _run(model, given, adapter)
        first = next(iter(found))
        assert found[first].shape == without_prompt[first].shape
        assert not torch.allclose(found[first], without_prompt[first], atol=1e-4, equal_nan=True)
        if not _reads_tokens(model):
            return  # pictures and sound have their own oracles below
        with torch.no_grad():
            wanted = base(**as_words(base, given, prompts_of(model, adapter)[0], behind))
        mask = given["attention_mask"]
        for key, value in found.items():
            # A pooler of the bare model reads the prompt where the library's reads the first token.
            if key == "last_hidden_state" or (key == "logits" and behind):
                other = wanted[key]
                is_long = other.dim() == 3 and other.shape[1] == mask.shape[1] + 3
                other = without(other, mask, 3, behind) if is_long else other
                mine, theirs = (_tokens_only(key, t, given) for t in (value, other))
                torch.testing.assert_close(mine, theirs, **_tolerance(name))
            elif key == "encoder_last_hidden_state":
                assert value.shape == wanted[key].shape


@pytest.mark.parametrize("name", few(tuple(WORKING), "prompts", 60))
def test_prompts_of_different_lengths_share_a_batch(name: str) -> None:
    given = _given(name, "left")
    model = _prepared(
        name, a="prompt_tuning[prompt_length=2]", b="prompt_tuning[prompt_length=4, combine=after_first]"
    )
    model.add_adapter("c", "seq_bn")
    if name in EVEN_ONLY:
        with pytest.raises(AdapterLibError, match=EVEN_ONLY[name]):
            _run(model, given, Parallel("a", "b"))
        return
    alone = [_run(model, given, tree) for tree in ("a", "b", "c")]
    together = _run(model, given, Parallel("a", "b", "c"))
    for key, value in together.items():
        if key.startswith(("logits_per", "encoder_")):
            continue  # rows against rows; states that keep prompts of three lengths
        wanted = torch.cat([run[key] for run in alone])
        mine, theirs = (_tokens_only(key, t, given) for t in (value, wanted))
        torch.testing.assert_close(mine, theirs, **_tolerance(name))


@pytest.mark.parametrize("name", sorted(REFUSED))
def test_where_prompts_make_no_sense_a_sentence_says_so(name: str) -> None:
    model = adapter_lib.init(MODELS[name].build())
    with pytest.raises(AdapterLibError, match=REFUSED[name]):  # noqa: PT012  (some only see it in the call)
        model.add_adapter("a", "prompt_tuning")
        model.active_adapters = "a"
        model(**MODELS[name].inputs())


def test_beit_without_relative_positions_has_prompts() -> None:
    base = MODELS["beit"].build()
    config = base.config
    config.use_relative_position_bias = config.use_shared_relative_position_bias = False
    config.use_absolute_position_embeddings = True
    model = adapter_lib.init(type(base)(config).eval())
    model.add_adapter("a", "prompt_tuning")
    given = MODELS["beit"].inputs()
    assert not torch.allclose(
        _run(model, given, "a")["last_hidden_state"], _run(model, given, None)["last_hidden_state"]
    )


def _through(layers: Any, h: Tensor, prompt: Tensor, behind: int, *more: Any) -> Tensor:
    """States behind the last layer with a prompt [n, d] among them, which is taken out again."""
    rows = prompt.expand(len(h), -1, -1)
    h = torch.cat([h[:, :behind], rows, h[:, behind:]], dim=1)
    for layer in layers:
        h = layer(h, *more)
        h = h[0] if isinstance(h, tuple) else h
    return torch.cat([h[:, :behind], h[:, behind + len(prompt) :]], dim=1)


def _vit(base: Any, given: Any, prompt: Tensor, behind: int) -> Tensor:
    return base.layernorm(_through(base.layers, base.embeddings(**given), prompt, behind, None))


def _dinov2(base: Any, given: Any, prompt: Tensor, behind: int) -> Tensor:
    return base.layernorm(_through(base.encoder.layer, base.embeddings(**given), prompt, behind, None))


def _clip(base: Any, given: Any, prompt: Tensor, behind: int) -> Tensor:
    h = base.pre_layrnorm(base.embeddings(**given))
    return _through(base.encoder.layers, h, prompt, behind, None)


@pytest.mark.parametrize(
    ("name", "oracle"), [("vit", _vit), ("deit", _vit), ("dinov2", _dinov2), ("clip-vision", _clip)]
)
@pytest.mark.parametrize("combine", ["prefix", "after_first"])
def test_a_prompt_among_patches(name: str, oracle: Any, combine: str) -> None:
    given = _given(name, "right")
    model = _prepared(name, a=f"prompt_tuning[prompt_length=3, combine={combine}]")
    found = _run(model, given, "a")
    with torch.no_grad():
        base = MODELS[name].build().double()
        wanted = oracle(base, given, prompts_of(model, "a")[0], int(combine != "prefix"))
    torch.testing.assert_close(found["last_hidden_state"], wanted, atol=1e-10, rtol=0)
    with AdapterSetup(model, "a"), torch.no_grad():
        states = model(**given, output_hidden_states=True).hidden_states
    assert {state.shape for state in states} == {wanted.shape}


def test_a_prompt_among_frames_that_a_decoder_reads() -> None:
    given = _given("whisper", "right")
    model = _prepared("whisper", a="prompt_tuning[prompt_length=3]")
    found = _run(model, given, "a")
    base = MODELS["whisper"].build().double()
    encoder = base.encoder
    prompt = prompts_of(model, "a")[0].expand(3, -1, -1)
    with torch.no_grad():
        h = torch.nn.functional.gelu(encoder.conv1(given["input_features"]))
        h = torch.nn.functional.gelu(encoder.conv2(h)).transpose(1, 2) + encoder.embed_positions.weight
        h = torch.cat([prompt, h], dim=1)
        for layer in encoder.layers:
            h = layer(h, None)
        h = encoder.layer_norm(h)
        wanted = base.decoder(input_ids=given["decoder_input_ids"], encoder_hidden_states=h).last_hidden_state
    torch.testing.assert_close(found["encoder_last_hidden_state"], h, atol=1e-10, rtol=0)
    torch.testing.assert_close(found["last_hidden_state"], wanted, atol=1e-10, rtol=0)


def test_a_prompt_among_frames_that_are_padded() -> None:
    given = _given("wav2vec2", "right")
    model = _prepared("wav2vec2", a="prompt_tuning[prompt_length=3]")
    found = _run(model, given, "a")["last_hidden_state"]
    base = MODELS["wav2vec2"].build().double()
    encoder = base.encoder
    with torch.no_grad():
        h, _ = base.feature_projection(base.feature_extractor(given["input_values"]).transpose(1, 2))
        mask = base._get_feature_vector_attention_mask(h.shape[1], given["attention_mask"]).bool()
        assert not mask.all()
        h = h * mask[..., None]
        h = encoder.layer_norm(h + encoder.pos_conv_embed(h))
        seen = torch.cat([torch.ones(3, 3, dtype=torch.bool), mask], dim=1)
        hidden = torch.zeros(seen.shape, dtype=h.dtype).masked_fill(~seen, -1e30)[:, None, None]
        wanted = _through(encoder.layers, h, prompts_of(model, "a")[0], 0, hidden)
    torch.testing.assert_close(found[mask], wanted[mask], atol=1e-10, rtol=0)
