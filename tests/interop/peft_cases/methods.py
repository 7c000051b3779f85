"""The peer's configurations by case name. Adapter files carry the case's name."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from tests.interop.peft_cases.families import ROWS, TOKENS, VOCAB, Family
from tests.interop.peft_cases.peer import peft
from tests.interop.recording import ADAPTER_NOISE, token_ids

# Orthogonal methods exponentiate or invert their parameters: a smaller step keeps their series converging.
SMALL_NOISE = 0.05
# What only these families get, for their numbers do not depend on the family's layout.
_OPTIONS = (
    "lokr_both",
    "lokr_factor",
    "lokr_full",
    "oft_rank",
    "oft_cayley",
    "oft_shared",
    "oft_constrained",
)
_OPTION_FAMILIES = ("bert", "llama")


# Two tokens of the first row, so that retraining them is seen.
_TOKENS = token_ids(ROWS, TOKENS, VOCAB, "input_ids")[0, 1:3].tolist()


@dataclass(frozen=True)
class Case:
    """A name, the peer's configuration, and how it is made and saved."""

    name: str
    config: Any
    noise: float = ADAPTER_NOISE
    converted: bool = False

    @property
    def padded(self) -> bool:
        """Only what joins the sequence sees padding; one plain case stands for the rest."""
        return (
            "prompt" in self.name
            or "prefix" in self.name
            or "p_tuning" in self.name
            or self.name == "lora_qv"
        )


def cases_of(family: Family) -> Iterator[Case]:
    """Every case this family gets."""
    makers = [_lora]
    if family.name in ("bert", "gpt2", "llama", "t5"):
        makers += [_variants, _scalings, _products, _rotations, _copies, _prompts]
    if family.name in ("mixtral", "qwen2-moe"):
        makers += [_experts]
    for maker in makers:
        for case in maker(family):
            if case.name not in _OPTIONS or family.name in _OPTION_FAMILIES:
                yield case


def _config(name: str, family: Family, **options: Any) -> Any:
    """`task_type` where the model has one; targets are q and v unless others are given."""
    options.setdefault("target_modules", list(family.query_value))
    return getattr(peft, name)(task_type=family.task, **options)


def _lora(family: Family) -> Iterator[Case]:
    yield Case("lora_qv", _config("LoraConfig", family, r=4, lora_alpha=8))
    yield Case(
        "lora_all_linear", _config("LoraConfig", family, r=2, lora_alpha=6, target_modules="all-linear")
    )
    if family.name == "vit":
        convolution = ["projection", "q_proj"]
        yield Case("lora_conv", _config("LoraConfig", family, r=4, target_modules=convolution))


def _variants(family: Family) -> Iterator[Case]:
    lora: Callable[..., Any] = lambda **options: _config("LoraConfig", family, **{"r": 4, **options})  # noqa: E731
    both = [*family.query_value, *family.up_down]
    first = family.query_value[0]
    yield Case("lora_rslora", lora(lora_alpha=8, use_rslora=True))
    yield Case(
        "lora_patterns",
        lora(
            lora_alpha=8, target_modules=both, rank_pattern={first: 2}, alpha_pattern={family.up_down[0]: 3}
        ),
    )
    yield Case("lora_layer", lora(layers_to_transform=[1]))
    yield Case("lora_bias_all", lora(bias="all"))
    yield Case("lora_bias_own", lora(bias="lora_only"))
    yield Case("lora_up_bias", lora(lora_bias=True))
    yield Case("lora_embedding", lora(lora_alpha=8, target_modules=[_embedding(family)]))
    yield Case("lora_tokens", lora(trainable_token_indices={_embedding(family): _TOKENS}))
    yield Case("dora", lora(lora_alpha=8, use_dora=True))
    yield Case("dora_ffn", lora(lora_alpha=8, use_dora=True, target_modules=both))
    yield Case("pissa", lora(lora_alpha=8, init_lora_weights="pissa"))
    yield Case("pissa_converted", lora(lora_alpha=8, init_lora_weights="pissa"), converted=True)
    yield Case("olora", lora(lora_alpha=8, init_lora_weights="olora"))
    yield Case("olora_converted", lora(lora_alpha=8, init_lora_weights="olora"), converted=True)
    yield Case("adalora", _config("AdaLoraConfig", family, init_r=4, target_r=2, lora_alpha=8, total_step=10))


def _embedding(family: Family) -> str:
    return {"bert": "word_embeddings", "gpt2": "wte", "llama": "embed_tokens", "t5": "embed_tokens"}[
        family.name
    ]


def _scalings(family: Family) -> Iterator[Case]:
    # The peer's own table of targets: keys, values and the second feed-forward layer.
    yield Case("ia3", _config("IA3Config", family, target_modules=None, feedforward_modules=None))
    norms = ["LayerNorm"] if family.name == "bert" else None
    yield Case("ln_tuning", _config("LNTuningConfig", family, target_modules=norms))
    yield Case(
        "trainable_tokens",
        _config("TrainableTokensConfig", family, token_indices=_TOKENS, target_modules=[_embedding(family)]),
    )


def _products(family: Family) -> Iterator[Case]:
    both = [*family.query_value, *family.up_down]
    yield Case("loha", _config("LoHaConfig", family, r=3, alpha=6, target_modules=both))
    for name, options in {
        "lokr": {"r": 2, "alpha": 4},
        "lokr_both": {"r": 2, "alpha": 4, "decompose_both": True},
        "lokr_factor": {"r": 2, "alpha": 4, "decompose_factor": 4},
        "lokr_full": {"r": 64, "alpha": 4},
    }.items():
        yield Case(name, _config("LoKrConfig", family, target_modules=both, **options))
    yield Case("vera", _config("VeraConfig", family, r=4, save_projection=True))
    yield Case("vera_seeded", _config("VeraConfig", family, r=4, save_projection=False))
    yield Case("fourierft", _config("FourierFTConfig", family, n_frequency=20, scaling=30.0))


def _rotations(family: Family) -> Iterator[Case]:
    both = [*family.query_value, *family.up_down]
    for name, options in {
        "oft": {},
        "oft_block_size": {"oft_block_size": 8},
        "oft_rank": {"r": 4, "oft_block_size": 0},
        "oft_cayley": {"oft_block_size": 8, "use_cayley_neumann": False},
        "oft_shared": {"oft_block_size": 8, "block_share": True},
        "oft_constrained": {"oft_block_size": 8, "coft": True, "eps": 0.05},
    }.items():
        yield Case(name, _config("OFTConfig", family, target_modules=both, **options), SMALL_NOISE)
    for name, options in {
        "boft": {"boft_block_size": 4, "boft_n_butterfly_factor": 1},
        "boft_butterfly": {"boft_block_size": 4, "boft_n_butterfly_factor": 2},
    }.items():
        yield Case(name, _config("BOFTConfig", family, **options), SMALL_NOISE)
    yield Case("hra", _config("HRAConfig", family, r=4, target_modules=both))
    yield Case("hra_gram_schmidt", _config("HRAConfig", family, r=4, apply_GS=True))


# The peer's ways to make one LoRA of two; those that draw at random are left out.
WEIGHTED: dict[str, dict[str, Any]] = {
    "linear": {},
    "cat": {},
    "svd": {"svd_rank": 3},
    "ties": {"density": 0.5},
    "ties_by_count": {"combination_type": "ties", "density": 0.5, "majority_sign_method": "frequency"},
    "ties_svd": {"density": 0.5, "svd_rank": 3},
    "magnitude_prune": {"density": 0.4},
    "magnitude_prune_svd": {"density": 0.4, "svd_rank": 3},
}
WEIGHTS = [0.7, -0.3]


def weighted_members(family: Family) -> dict[str, Any]:
    """The two LoRAs that are merged, of one rank and two scales."""
    return {
        "weighted_a": _config("LoraConfig", family, r=4, lora_alpha=8),
        "weighted_b": _config("LoraConfig", family, r=4, lora_alpha=4),
    }


def _copies(family: Family) -> Iterator[Case]:
    """Heads and copies beside the adapter."""
    if family.name == "bert":
        yield Case("lora_modules_to_save", _config("LoraConfig", family, r=4, modules_to_save=["pooler"]))
    if family.name == "llama":
        yield Case("lora_modules_to_save", _config("LoraConfig", family, r=4, modules_to_save=["lm_head"]))


def _prompts(family: Family) -> Iterator[Case]:
    def config(name: str, **options: Any) -> Any:
        return getattr(peft, name)(task_type=family.task, num_virtual_tokens=3, **options)

    yield Case("prefix_tuning", config("PrefixTuningConfig"))
    yield Case(
        "prefix_tuning_projection",
        config("PrefixTuningConfig", prefix_projection=True, encoder_hidden_size=8),
    )
    yield Case("prompt_tuning", config("PromptTuningConfig"))
    yield Case("p_tuning_mlp", config("PromptEncoderConfig", encoder_hidden_size=8))
    yield Case(
        "p_tuning_lstm",
        config("PromptEncoderConfig", encoder_reparameterization_type="LSTM", encoder_hidden_size=8),
    )


def _experts(family: Family) -> Iterator[Case]:
    experts = ["mlp.experts.gate_up_proj", "mlp.experts.down_proj"]
    yield Case(
        "lora_experts",
        _config("LoraConfig", family, r=2, lora_alpha=4, target_modules=[], target_parameters=experts),
    )
    yield Case(
        "lora_experts_and_qv",
        _config("LoraConfig", family, r=2, lora_alpha=4, target_parameters=experts[:1]),
    )
