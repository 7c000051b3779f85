"""The kinds of PEFT's checkpoints: what is read, which settings change what they compute, what is refused."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from adapter_lib.formats.peft.settings import CONFIG_FILE, Settings
from adapter_lib.spec.errors import LoadError
from adapter_lib.spec.strict_json import quoted

# The release whose settings are known here, key by key.
PEFT_VERSION = "0.21.2"

# What every kind has. Which modules are adapted is told by the tensors' names, not by these.
_COMMON = (
    "task_type", "peft_type", "auto_mapping", "peft_version", "base_model_name_or_path", "revision",
    "inference_mode", "runtime_config", "target_modules", "exclude_modules", "layers_to_transform",
    "layers_pattern", "modules_to_save", "fan_in_fan_out", "init_weights", "bias",
)  # fmt: skip
_PROMPT = (
    "num_virtual_tokens",
    "token_dim",
    "num_transformer_submodules",
    "num_attention_heads",
    "num_layers",
)
_LORA = (
    "r", "lora_alpha", "lora_dropout", "use_rslora", "init_lora_weights", "rank_pattern", "alpha_pattern",
    "trainable_token_indices", "lora_bias", "target_parameters", "ensure_weight_tying", "use_dora",
    "loftq_config", "eva_config", "corda_config", "lora_ga_config", "qalora_group_size", "megatron_config",
    "megatron_core", "velora_config",
)  # fmt: skip
_LORA_NEUTRAL: Mapping[str, str] = MappingProxyType(
    {
        "use_qalora": "QA-LoRA pools the inputs of quantised maps, which no method here does",
        "layer_replication": "it repeats layers of the base model, and adapters here leave the base as it is",
        "alora_invocation_tokens": "an activated LoRA acts only behind certain tokens, which none does here",
        "arrow_config": "Arrow routes between LoRAs by their singular vectors, which no block here does",
        "use_bdlora": "BD-LoRA cuts its matrices into blocks for several devices, which is not read",
        "kasa_config": "KaSA puts singular values between the matrices and changes the base's weights",
        "monteclora_config": "MonteCLoRA draws its matrices at random in each call",
    }
)
_LYCORIS = ("r", "alpha", "rank_pattern", "alpha_pattern", "rank_dropout", "module_dropout")


@dataclass(frozen=True)
class Kind:
    """known: the settings that are read, or that matter to training alone, or that the tensors tell.

    neutral: settings that must be off (null, false, empty), each with what they would change.
    """

    known: tuple[str, ...]
    neutral: Mapping[str, str] = field(default_factory=dict)


KINDS: Mapping[str, Kind] = {
    "LORA": Kind(_LORA, _LORA_NEUTRAL),
    "ADALORA": Kind(
        (
            *(_LORA), "init_r", "target_r", "tinit", "tfinal", "deltaT", "beta1", "beta2", "orth_reg_weight",
            "total_step",
        ),
        _LORA_NEUTRAL,
    ),
    "LOHA": Kind((*_LYCORIS, "use_effective_conv2d")),
    "LOKR": Kind(
        (*_LYCORIS, "use_effective_conv2d", "decompose_both", "decompose_factor", "rank_dropout_scale")
    ),
    "HIRA": Kind(("r", "hira_dropout", "rank_pattern")),
    "VERA": Kind(("r", "projection_prng_key", "save_projection", "vera_dropout", "d_initial")),
    "FOURIERFT": Kind(("n_frequency", "scaling", "random_loc_seed", "n_frequency_pattern")),
    "OFT": Kind(
        (
            "r", "oft_block_size", "module_dropout", "coft", "eps", "block_share", "use_cayley_neumann",
            "num_cayley_neumann_terms",
        )
    ),
    "BOFT": Kind(("boft_block_size", "boft_block_num", "boft_n_butterfly_factor", "boft_dropout")),
    "HRA": Kind(("r", "apply_GS")),
    "IA3": Kind(("feedforward_modules", "init_ia3_weights")),
    "LN_TUNING": Kind(()),
    "TRAINABLE_TOKENS": Kind(("token_indices",)),
    "PROMPT_TUNING": Kind(
        (
            *_PROMPT, "prompt_tuning_init", "prompt_tuning_init_text", "tokenizer_name_or_path",
            "tokenizer_kwargs",
        )
    ),
    "P_TUNING": Kind(
        (
            *_PROMPT, "encoder_reparameterization_type", "encoder_hidden_size", "encoder_num_layers",
            "encoder_dropout",
        )
    ),
    "PREFIX_TUNING": Kind((*_PROMPT, "encoder_hidden_size", "prefix_projection")),
}  # fmt: skip

# What the other kinds compute that nothing here does.
REFUSED: Mapping[str, str] = {
    "ADAMSS": "it updates clustered subspaces of the base's singular vectors, which its file does not hold",
    "ADAPTION_PROMPT": "LLaMA-Adapter attends to its prompts in a softmax of their own behind a gate",
    "BEFT": "it adds to biases that it names in its own way",
    "C3A": "its update is a block-circulant convolution",
    "CARTRIDGE": "its keys and values are a stored cache with positions of their own",
    "CPT": "its prompt tokens move away from given ones by typed projections",
    "DEFT": "it takes a subspace out of the base's weights",
    "DELORA": "it normalises every pair of B and A and scales them by the weight's norm",
    "FROD": "it turns the base's weights by sparse rotations in a joint basis",
    "GLORA": "it multiplies and adds to weights, activations and biases at once",
    "GRALORA": "it cuts the weight into a grid of small LoRAs",
    "LILY": "its layers share A and mix several B by a router",
    "MISS": "its update repeats one shard over groups of inputs",
    "MULTITASK_PROMPT_TUNING": "its prompts are products of a shared one with a task's, chosen row by row",
    "OSF": "it fine-tunes the base's own weights",
    "PEANUT": "its update is a network applied to the base's weights",
    "POLY": "it mixes an inventory of LoRAs by learned shares per task",
    "PSOFT": "it turns the base's principal subspace, which its file does not hold",
    "PVERA": "it draws its vectors at random in each call",
    "RANDLORA": "its update is a sum over many random bases",
    "ROAD": "it turns pairs of a map's outputs",
    "SHADOW": "it runs a second, smaller model beside the base",
    "SHIRA": "its update is sparse, at places that a random mask tells",
    "SUPERTUNING": "its update is sparse, at places that the base's weights tell",
    "TINYLORA": "its update is a random combination of the base's singular vectors",
    "UNILORA": "all its numbers are drawn from one shared vector",
    "VBLORA": "its matrices are mixtures out of one shared bank of vectors",
    "WAVEFT": "its update is sparse in wavelets",
    "XLORA": "it mixes several LoRAs by gates that a first run of the model computes",
}


def check_settings(settings: Settings) -> tuple[str, ...]:
    """Notes on what the settings say that changes nothing here.

    Raises LoadError for a kind, or for a setting, that nothing here computes.
    """
    name = settings.kind
    if name in REFUSED:
        raise LoadError(f"A PEFT checkpoint of the kind {name} has no counterpart here: {REFUSED[name]}.")
    if name not in KINDS:
        known = ", ".join(sorted(KINDS))
        raise LoadError(
            f"{CONFIG_FILE}: no method here reads {quoted(name)}; PEFT's kinds that are read: {known}."
        )
    kind = KINDS[name]
    for key, why in kind.neutral.items():
        if settings.get(key):
            raise LoadError(f"{CONFIG_FILE}: {key} is set; {why}.")
    known_keys = {*_COMMON, *kind.known, *kind.neutral}
    unknown = sorted(key for key, value in settings.values.items() if key not in known_keys and _says(value))
    if not unknown:
        return ()
    named = ", ".join(quoted(key) for key in unknown)
    return (
        f"{CONFIG_FILE} has settings that PEFT {PEFT_VERSION} does not have, which were left aside: {named}.",
    )


def _says(value: Any) -> bool:
    """False for what a setting is where nobody set it."""
    return value not in (None, False) and value != {} and value != []
