"""One tiny model per family, and what it is fed."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch

from tests.interop.adapters_cases.peer import adapters, transformers
from tests.interop.recording import Variants, mask_of, seed_of, token_ids

VOCAB = 60
ROWS, TOKENS = 3, 7
LENGTHS = (7, 5, 4)
# Large enough for attention scores and activations to matter; 0.02 would make every adapter look linear.
WIDE_START = 0.2

_SIZES = {"vocab_size": VOCAB, "initializer_range": WIDE_START, "max_position_embeddings": 32}
_BERT = {
    **_SIZES,
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 48,
}
_BART = {
    "vocab_size": VOCAB,
    "init_std": WIDE_START,
    "max_position_embeddings": 32,
    "d_model": 32,
    "encoder_layers": 2,
    "decoder_layers": 2,
    "encoder_attention_heads": 4,
    "decoder_attention_heads": 4,
    "encoder_ffn_dim": 48,
    "decoder_ffn_dim": 48,
}
_LLAMA = {**_BERT, "num_key_value_heads": 2}
_GPT = {**_SIZES, "n_positions": 32, "n_embd": 32, "n_layer": 2, "n_head": 4, "n_inner": 48}
_GPT_ENDS = {"bos_token_id": 0, "eos_token_id": 0}
_VISION = {
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 48,
    "image_size": 16,
    "patch_size": 8,
    "initializer_range": WIDE_START,
}


@dataclass(frozen=True)
class Family:
    """A model type of the peer: how to build it, what it is fed, and whether it gets every
    method and block (`full`) and every option of a method (`options`)."""

    name: str
    config: Callable[[], Any]
    variants: Callable[[Any], Variants]
    tokens: int = TOKENS
    full: bool = False
    options: bool = False

    def build(self, attention: str = "eager") -> Any:
        """The peer's model, in evaluation mode; eager attention is the one that the peer computes soundly."""
        config = self.config()
        config._attn_implementation = attention
        torch.manual_seed(seed_of(self.name))
        if config.model_type == "encoder-decoder":
            model = transformers.EncoderDecoderModel(config)
            adapters.init(model)
        else:
            model = adapters.AutoAdapterModel.from_config(config)
        return model.eval()


def _text(config: Any) -> Variants:
    ids = token_ids(ROWS, TOKENS, VOCAB, "input_ids")
    mask = mask_of(LENGTHS, TOKENS)
    padded = ids.masked_fill(mask == 0, config.pad_token_id or 0)
    return {
        "plain": {"input_ids": ids, "attention_mask": torch.ones_like(ids)},
        "padded": {"input_ids": padded, "attention_mask": mask},
    }


def _sequences(config: Any) -> Variants:
    """Equally long source and target; then a padded source with a shorter target."""
    target = token_ids(ROWS, TOKENS, VOCAB, "decoder_input_ids")
    plain, padded = _text(config).values()
    return {
        "plain": {**plain, "decoder_input_ids": target},
        "padded": {**padded, "decoder_input_ids": target[:, :5].clone()},
    }


def _noise(shape: tuple[int, ...], text: str) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed_of(text)))


def _pixels(_: Any) -> Variants:
    return {"plain": {"pixel_values": _noise((ROWS, 3, 16, 16), "pixel_values")}}


def _pairs(config: Any) -> Variants:
    pixels = _pixels(config)["plain"]
    return {name: {**text, **pixels} for name, text in _text(config.text_config).items()}


def _sound(_: Any) -> Variants:
    features = _noise((ROWS, 16, 20), "input_features")
    target = token_ids(ROWS, TOKENS, VOCAB, "decoder_input_ids")
    return {"plain": {"input_features": features, "decoder_input_ids": target}}


def _named(name: str, **options: Any) -> Callable[[], Any]:
    return lambda: getattr(transformers, name)(**options)


def _clip() -> Any:
    ends = {"bos_token_id": 1, "eos_token_id": 2, "pad_token_id": 0}
    text = {**_BERT, **ends, "projection_dim": 16}
    return transformers.CLIPConfig(
        text_config=text, vision_config={**_VISION, "projection_dim": 16}, projection_dim=16
    )


def _encoder_decoder() -> Any:
    encoder, decoder = transformers.BertConfig(**_BERT), transformers.BertConfig(**_BERT)
    config = transformers.EncoderDecoderConfig.from_encoder_decoder_configs(encoder, decoder)
    config.decoder_start_token_id, config.pad_token_id = 1, 0
    return config


_T5 = {
    "vocab_size": VOCAB,
    "d_model": 32,
    "d_kv": 8,
    "d_ff": 48,
    "num_layers": 2,
    "num_heads": 4,
    "decoder_start_token_id": 0,
    "relative_attention_num_buckets": 8,
    "relative_attention_max_distance": 16,
}
_WHISPER = {
    **_BART,
    "num_mel_bins": 16,
    "max_source_positions": 10,
    "max_target_positions": 32,
    "pad_token_id": 1,
    "bos_token_id": 2,
    "eos_token_id": 2,
    "decoder_start_token_id": 2,
    "suppress_tokens": None,
    "begin_suppress_tokens": None,
}
_DEBERTA = {
    **_BERT,
    "relative_attention": True,
    "pos_att_type": ["p2c", "c2p"],
    "position_biased_input": False,
    "position_buckets": 8,
    "share_att_key": True,
    "norm_rel_ebd": "layer_norm",
    "type_vocab_size": 0,
}

FAMILIES = (
    Family("bert", _named("BertConfig", **_BERT), _text, full=True, options=True),
    Family("gpt2", _named("GPT2Config", **_GPT, **_GPT_ENDS), _text, full=True, options=True),
    Family("t5", _named("T5Config", **_T5), _sequences, full=True),
    Family("llama", _named("LlamaConfig", **_LLAMA), _text, full=True),
    Family("vit", _named("ViTConfig", **_VISION), _pixels, tokens=5, full=True),
    Family("roberta", _named("RobertaConfig", **_BERT), _text),
    Family("xlm-roberta", _named("XLMRobertaConfig", **_BERT), _text),
    Family(
        "distilbert",
        _named("DistilBertConfig", dim=32, n_layers=2, n_heads=4, hidden_dim=48, **_SIZES),
        _text,
    ),
    Family("albert", _named("AlbertConfig", embedding_size=16, **_BERT), _text),
    Family("electra", _named("ElectraConfig", embedding_size=16, **_BERT), _text),
    Family("bert-generation", _named("BertGenerationConfig", **_BERT), _text),
    Family("deberta-v2", _named("DebertaV2Config", **_DEBERTA), _text),
    Family("bart", _named("BartConfig", **_BART), _sequences),
    Family("mbart", _named("MBartConfig", **_BART), _sequences),
    Family("whisper", _named("WhisperConfig", **_WHISPER), _sound),
    Family("t5-gated", _named("T5Config", feed_forward_proj="gated-gelu", **_T5), _sequences),
    Family("mistral", _named("MistralConfig", sliding_window=None, **_LLAMA), _text),
    Family("gptj", _named("GPTJConfig", rotary_dim=4, **_GPT, **_GPT_ENDS), _text),
    Family("beit", _named("BeitConfig", use_relative_position_bias=True, **_VISION), _pixels, tokens=5),
    Family("clip", _clip, _pairs),
    Family("encoder-decoder", _encoder_decoder, _sequences),
)
