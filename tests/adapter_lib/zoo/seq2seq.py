"""Encoder-decoders from text to text."""

from typing import Any

import transformers as hf

from tests.adapter_lib.zoo.encoders import BERT_LIKE
from tests.adapter_lib.zoo.feeds import text_to_text, tokens
from tests.adapter_lib.zoo.tiny_model import FFN, HEADS, VOCABULARY, WIDTH, Feed, TinyModel

BART_LIKE = {
    "d_model": WIDTH,
    "encoder_layers": 2,
    "decoder_layers": 2,
    "encoder_attention_heads": HEADS,
    "decoder_attention_heads": HEADS,
    "encoder_ffn_dim": FFN,
    "decoder_ffn_dim": FFN,
    "max_position_embeddings": 64,
    "vocab_size": VOCABULARY,
    "pad_token_id": 1,
    "bos_token_id": 0,
    "eos_token_id": 2,
    "decoder_start_token_id": 2,
    "forced_eos_token_id": None,
}
T5_LIKE = {
    "d_model": WIDTH,
    "d_kv": 10,  # not d_model / heads, as in the larger models
    "d_ff": FFN,
    "num_layers": 2,
    "num_decoder_layers": 2,
    "num_heads": HEADS,
    "vocab_size": VOCABULARY,
    "pad_token_id": 0,
    "decoder_start_token_id": 0,
}
GATED = {"feed_forward_proj": "gated-gelu"}


def _seq2seq(
    name: str,
    config: str,
    sizes: dict[str, Any],
    head: str | None = "AutoModelForSeq2SeqLM",
    model: str = "AutoModel",
    feed: Feed = text_to_text,
) -> TinyModel:
    return TinyModel(name, "seq2seq", lambda: getattr(hf, config)(**sizes), feed, model, head)


def _encoder_decoder() -> Any:
    encoder = hf.BertConfig(**BERT_LIKE)
    decoder = hf.BertConfig(**BERT_LIKE, is_decoder=True, add_cross_attention=True)
    return hf.EncoderDecoderConfig.from_encoder_decoder_configs(
        encoder, decoder, pad_token_id=0, decoder_start_token_id=1
    )


# BART's configuration under other names.
_BARTS = {
    "bart": "BartConfig",
    "mbart": "MBartConfig",
    "plbart": "PLBartConfig",
    "mvp": "MvpConfig",
    "blenderbot": "BlenderbotConfig",
    "blenderbot-small": "BlenderbotSmallConfig",
    "pegasus": "PegasusConfig",
    "m2m_100": "M2M100Config",
    "marian": "MarianConfig",
}
LED = BART_LIKE | {
    "attention_window": 4,
    "max_encoder_position_embeddings": 64,
    "max_decoder_position_embeddings": 64,
}
LED.pop("max_position_embeddings")
SWITCH = T5_LIKE | {"num_experts": 2, "num_sparse_encoder_layers": 1, "num_sparse_decoder_layers": 1}

SEQ2SEQ = (
    *(_seq2seq(name, config, BART_LIKE) for name, config in _BARTS.items()),
    _seq2seq("led", "LEDConfig", LED),
    _seq2seq("t5", "T5Config", T5_LIKE),
    _seq2seq("t5-gated", "T5Config", T5_LIKE | GATED),
    _seq2seq("mt5", "MT5Config", T5_LIKE | GATED),
    _seq2seq("umt5", "UMT5Config", T5_LIKE | GATED),
    _seq2seq("longt5", "LongT5Config", T5_LIKE | GATED | {"local_radius": 3}),
    _seq2seq(
        "longt5-global",
        "LongT5Config",
        T5_LIKE | {"local_radius": 3, "global_block_size": 4, "encoder_attention_type": "transient-global"},
    ),
    _seq2seq("switch_transformers", "SwitchTransformersConfig", SWITCH),
    TinyModel("t5-encoder", "encoder", lambda: hf.T5Config(**T5_LIKE), tokens, "T5EncoderModel"),
    TinyModel(
        "encoder-decoder",
        "seq2seq",
        _encoder_decoder,
        text_to_text,
        "EncoderDecoderModel",
        "EncoderDecoderModel",
    ),
)
