"""Where the heads of transformers' classes are, by the family in the class's name.

`{base}` stands for the path of the base model.
"""

from dataclasses import dataclass

_TASKS = (
    "ForSequenceClassification",
    "ForTokenClassification",
    "ForQuestionAnswering",
    "ForMultipleChoice",
    "ForImageClassification",
    "ForMaskedLM",
    "ForCausalLM",
    "LMHeadModel",
    "ForConditionalGeneration",
)


@dataclass(frozen=True)
class Layers:
    """Linear maps in their order over a pooled state. activation: between them; `config.x` is what x says."""

    paths: tuple[str, ...]
    activation: str = "tanh"
    pooling: str = "cls"


@dataclass(frozen=True)
class Transform:
    """What stands in front of the output embeddings of a masked language model."""

    dense: str
    norm: str
    decoder: str
    activation: str


def family_and_task(name: str) -> tuple[str, str]:
    """`BertForMaskedLM` → ("Bert", "ForMaskedLM"); the second is empty for a class of another kind."""
    task = next((task for task in _TASKS if name.endswith(task)), "")
    return name.removesuffix(task), task


_POOLED = Layers(("{base}.pooler.dense", "classifier"))
_OWN = ("classifier.dense", "classifier.out_proj")
_DISTIL = Layers(("pre_classifier", "classifier"), activation="relu")
_CONTEXT = Layers(("pooler.dense", "classifier"), activation="config.pooler_hidden_act")
_END = Layers(("classification_head.dense", "classification_head.out_proj"), pooling="eos")
_ROBERTAS = ("Roberta", "XLMRoberta", "XLMRobertaXL", "RobertaPreLayerNorm", "Data2VecText", "Camembert")
_BERTS = ("Bert", "Ernie", "MegatronBert")
_BARTS = ("Bart", "MBart", "PLBart", "Mvp", "T5", "MT5", "UMT5")

CLASSIFIERS: dict[str, Layers] = {
    **dict.fromkeys(_BERTS, _POOLED),
    **dict.fromkeys((*_ROBERTAS, "Esm"), Layers(_OWN)),
    **dict.fromkeys(_BARTS, _END),
    "Electra": Layers(_OWN, activation="gelu"),
    "DistilBert": _DISTIL,
    "Albert": Layers(("{base}.pooler", "classifier")),
    "Deberta": _CONTEXT,
    "DebertaV2": _CONTEXT,
}
CHOOSERS: dict[str, Layers] = {
    **dict.fromkeys((*_BERTS, *_ROBERTAS), _POOLED),
    "DistilBert": _DISTIL,
    "Albert": Layers(("{base}.pooler", "classifier")),
    "DebertaV2": _CONTEXT,
}
IMAGES: dict[str, Layers] = {
    **dict.fromkeys(("ViT", "DeiT", "ViTMSN", "Beit"), Layers(("classifier",))),
    **dict.fromkeys(("Swin", "Swinv2"), Layers(("classifier",), pooling="mean")),
}
_CLS = "cls.predictions.{}".format
_BERT_LM = Transform(
    _CLS("transform.dense"), _CLS("transform.LayerNorm"), _CLS("decoder"), "config.hidden_act"
)
MASKED: dict[str, Transform] = {
    **dict.fromkeys((*_BERTS, "Deberta", "DebertaV2"), _BERT_LM),
    **dict.fromkeys(_ROBERTAS, Transform("lm_head.dense", "lm_head.layer_norm", "lm_head.decoder", "gelu")),
    "DistilBert": Transform("vocab_transform", "vocab_layer_norm", "vocab_projector", "config.activation"),
    "Electra": Transform(
        "generator_predictions.dense", "generator_predictions.LayerNorm", "generator_lm_head", "gelu"
    ),
    "Albert": Transform(
        "predictions.dense", "predictions.LayerNorm", "predictions.decoder", "config.hidden_act"
    ),
}
