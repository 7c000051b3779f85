"""Tiny random models of every family, and adapters with weights that do something."""

from collections.abc import Callable, Mapping
from typing import Any

import torch
import transformers as hf
from torch import Tensor, nn

import adapter_lib

VOCABULARY = 120
WIDTH = 32

_BERT_LIKE = {
    "hidden_size": WIDTH,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 48,
    "max_position_embeddings": 64,
    "vocab_size": VOCABULARY,
}

CONFIGS: Mapping[str, Callable[[], Any]] = {
    "bert": lambda: hf.BertConfig(**_BERT_LIKE),
    "roberta": lambda: hf.RobertaConfig(**_BERT_LIKE, pad_token_id=1),
    "distilbert": lambda: hf.DistilBertConfig(
        dim=WIDTH, n_layers=2, n_heads=4, hidden_dim=48, max_position_embeddings=64, vocab_size=VOCABULARY
    ),
    "gpt2": lambda: hf.GPT2Config(
        n_embd=WIDTH, n_layer=2, n_head=4, n_positions=64, vocab_size=VOCABULARY, pad_token_id=0
    ),
    "llama": lambda: hf.LlamaConfig(
        hidden_size=WIDTH,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        intermediate_size=48,
        vocab_size=VOCABULARY,
        pad_token_id=0,
    ),
}
FAMILIES = tuple(CONFIGS)
DECODERS = ("gpt2", "llama")
# Every method in every preset, and LoRA on every linear map that all families have.
METHODS = (
    "lora[r=4, alpha=8]",
    "lora[r=3, targets=[q, k, v, o, up, down]]",
    "lora[r=4, alpha=12, init_weights=pissa]",
    "lora[r=4, use_gating=true]",
    "dora[r=4]",
    "vera[r=24]",
    "dvora[r=24]",
    "mtl_lora[r=4, n_up_projection=2, task_specific_matrix_type=linear]",
    "seq_bn",
    "double_seq_bn",
    "par_bn",
    "scaled_par_bn",
    "adapter_plus[reduction_factor=8]",
    "seq_bn[use_gating=true]",
    "seq_bn_inv",
    "compacter[reduction_factor=4]",
    "compacter++[reduction_factor=4, shared_phm_rule=false]",
    "glow",
    "loreft[r=2, suffix_positions=1]",
    "direft[r=2, tied_weights=true]",
    "ia3",
    "adalora[init_r=4, target_r=2]",
    "loha[r=3]",
    "lokr[r=2, decompose_both=true]",
    "hira[r=3]",
    "hra[r=4]",
    "oft[block_size=8]",
    "boft[n_butterfly=3, rescale=true]",
    "fourierft[n_frequency=60]",
    "prefix_tuning[prefix_length=5, bottleneck_size=12]",
    "prefix_tuning_flat[prefix_length=3, use_gating=true]",
    "norm_tuning",
    "bitfit[add_missing=true]",
    "trainable_tokens[token_indices=[4, 22, 36, 62, 85, 101, 114]]",
    "prompt_tuning[prompt_length=4]",
    "p_tuning[prompt_length=3, combine=after_first, encoder=lstm, hidden_size=8]",
    "lora[r=2]|seq_bn|prefix_tuning_flat[prefix_length=2, use_gating=true]",
)


def build(family: str, auto: type = hf.AutoModel, *, layers: int = 2) -> Any:
    """A tiny random model in eval mode, prepared for nothing yet; the same weights each time."""
    torch.manual_seed(7)
    config = CONFIGS[family]()
    config.num_hidden_layers = layers
    model = auto.from_config(config)
    # Biases and norms start at 0 and 1; other values make wrong wiring visible.
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.05)
    return model.eval()


def prepared(family: str, auto: type = hf.AutoModel, *, layers: int = 2, **adapters: str) -> Any:
    """A tiny model with adapters, each with random weights."""
    model = adapter_lib.init(build(family, auto, layers=layers))
    for name, config in adapters.items():
        model.add_adapter(name, config)
        shake(model, name)
    return model


def shake(model: Any, name: str) -> None:
    """Give an adapter random weights, different for every name."""
    generator = torch.Generator().manual_seed(sum(name.encode()))
    with torch.no_grad():
        for parameter in adapter_parameters(model, name):
            parameter.add_(torch.randn(parameter.shape, generator=generator, dtype=torch.float32) * 0.2)


def adapter_parameters(model: Any, name: str) -> list[nn.Parameter]:
    """All parameters of one adapter, those that its places share included, without its head."""
    own = f".adapter:{name}.", f".adapter:{name}#"
    return [p for key, p in model.named_parameters() if any(mark in key for mark in own)]


def trained_parameters(model: Any, name: str) -> list[nn.Parameter]:
    """The parameters of one adapter that training changes, those that all its places share included."""
    found: list[nn.Parameter] = model.adapter_runtime.injection.trained(name)
    return found


def inputs(rows: int = 3, length: int = 7, *, side: str = "right") -> dict[str, Tensor]:
    """Token ids and a mask with padding in the second row."""
    generator = torch.Generator().manual_seed(3)
    ids = torch.randint(2, VOCABULARY, (rows, length), generator=generator)
    mask = torch.ones_like(ids)
    if rows > 1:
        padding = slice(length - 3, length) if side == "right" else slice(0, 3)
        mask[1, padding] = 0
    return {"input_ids": ids, "attention_mask": mask}


def output(model: Any, **given: Any) -> Tensor:
    """The model's first output at positions that are no padding, rows × tokens flattened."""
    given = given or inputs()
    with torch.no_grad():
        first: Tensor = model(**given)[0]
    if first.dim() < 3:
        return first
    mask = given["attention_mask"].bool()
    return first[mask.repeat(first.shape[0] // mask.shape[0], 1)]
