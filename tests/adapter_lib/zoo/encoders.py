"""Encoders of text."""

from typing import Any

import transformers as hf

from tests.adapter_lib.zoo.feeds import tokens
from tests.adapter_lib.zoo.tiny_model import FFN, HEADS, VOCABULARY, WIDTH, TinyModel

BERT_LIKE = {
    "hidden_size": WIDTH,
    "num_hidden_layers": 2,
    "num_attention_heads": HEADS,
    "intermediate_size": FFN,
    "max_position_embeddings": 64,
    "vocab_size": VOCABULARY,
    "pad_token_id": 0,
}
# Positions are counted from the padding's id.
ROBERTA_LIKE = BERT_LIKE | {"pad_token_id": 1, "bos_token_id": 0, "eos_token_id": 2}
ALBERT = BERT_LIKE | {"embedding_size": 16, "num_hidden_groups": 1}
DEBERTA = BERT_LIKE | {
    "relative_attention": True,
    "pos_att_type": ["c2p", "p2c"],
    "position_biased_input": False,
    "max_relative_positions": 16,
}
DEBERTA_V2 = DEBERTA | {"position_buckets": 4, "norm_rel_ebd": "layer_norm", "share_att_key": True}
MODERNBERT = BERT_LIKE | {"local_attention": 4, "global_attn_every_n_layers": 2, "layer_norm_eps": 1e-5}
DISTILBERT = {
    "dim": WIDTH,
    "n_layers": 2,
    "n_heads": HEADS,
    "hidden_dim": FFN,
    "max_position_embeddings": 64,
    "vocab_size": VOCABULARY,
    "pad_token_id": 0,
}


def _encoder(
    name: str,
    config: str,
    sizes: dict[str, Any],
    head: str | None = "AutoModelForSequenceClassification",
    model: str = "AutoModel",
) -> TinyModel:
    return TinyModel(name, "encoder", lambda: getattr(hf, config)(**sizes), tokens, model, head)


XMOD = ROBERTA_LIKE | {"languages": ["en", "de"], "default_language": "en"}
NOMIC = BERT_LIKE | {"head_dim": 8, "num_key_value_heads": HEADS}

# BERT's or RoBERTa's configuration under other names.
_BERTS = {
    "bert": "BertConfig",
    "ernie": "ErnieConfig",
    "roc_bert": "RoCBertConfig",
    "layoutlm": "LayoutLMConfig",
    "markuplm": "MarkupLMConfig",
    "megatron-bert": "MegatronBertConfig",
    "nystromformer": "NystromformerConfig",
    "tapas": "TapasConfig",
    "big_bird": "BigBirdConfig",
}
_ROBERTAS = {
    "roberta": "RobertaConfig",
    "xlm-roberta": "XLMRobertaConfig",
    "xlm-roberta-xl": "XLMRobertaXLConfig",
    "camembert": "CamembertConfig",
    "data2vec-text": "Data2VecTextConfig",
    "roberta-prelayernorm": "RobertaPreLayerNormConfig",
    "mpnet": "MPNetConfig",
}

ENCODERS = (
    *(_encoder(name, config, BERT_LIKE) for name, config in _BERTS.items()),
    *(_encoder(name, config, ROBERTA_LIKE) for name, config in _ROBERTAS.items()),
    _encoder("xmod", "XmodConfig", XMOD),
    _encoder("xmod-prenorm", "XmodConfig", XMOD | {"pre_norm": True}),
    _encoder("distilbert", "DistilBertConfig", DISTILBERT),
    _encoder("electra", "ElectraConfig", BERT_LIKE | {"embedding_size": 16}),
    _encoder("albert", "AlbertConfig", ALBERT),
    _encoder("albert-groups", "AlbertConfig", ALBERT | {"num_hidden_groups": 2, "inner_group_num": 2}),
    _encoder("bert-generation", "BertGenerationConfig", BERT_LIKE, None),
    _encoder("visual_bert", "VisualBertConfig", BERT_LIKE, None),
    _encoder("splinter", "SplinterConfig", BERT_LIKE, "AutoModelForQuestionAnswering"),
    _encoder("rembert", "RemBertConfig", BERT_LIKE | {"input_embedding_size": 16}),
    _encoder("roformer", "RoFormerConfig", BERT_LIKE | {"embedding_size": 16}),
    _encoder("longformer", "LongformerConfig", ROBERTA_LIKE | {"attention_window": 4}),
    _encoder("deberta", "DebertaConfig", DEBERTA),
    _encoder("deberta-v2", "DebertaV2Config", DEBERTA_V2),
    _encoder("modernbert", "ModernBertConfig", MODERNBERT),
    _encoder("esm", "EsmConfig", ROBERTA_LIKE | {"mask_token_id": 3, "position_embedding_type": "rotary"}),
    _encoder("nomic_bert", "NomicBertConfig", NOMIC),
    _encoder("jina_embeddings_v3", "JinaEmbeddingsV3Config", NOMIC | {"pad_token_id": 1}),
)
