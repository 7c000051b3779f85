"""Writes what the peer `peft` makes of several LoRAs: python -m tests.interop.generate_merging.

For every map the updates of the LoRAs that are combined, and of what each way of combining makes of them; in
the peer's terms ΔW = scaling · B A, [out, in].
"""

import warnings
from typing import Any

import torch

from tests.interop.peft_cases.families import FAMILIES
from tests.interop.peft_cases.peer import peft
from tests.interop.recording import ADAPTER_NOISE, DATA, Tensors, add_noise, write_json, write_tensors

OUT = DATA / "merging"
NAMES = ["a", "b", "c"]
# Rank and alpha of each: the peer's ways but for cat and svd need one rank.
SCALES = {"a": 8, "b": 4, "c": 2}
RANK = 4
MIXED = [0.7, -0.3, 1.1]
EQUAL = [1.0, 1.0, 1.0]
FULL = 32
WAYS: dict[str, dict[str, Any]] = {
    "linear_of_one": {"adapters": ["a"], "weights": [0.5], "combination_type": "linear"},
    "linear": {"weights": MIXED, "combination_type": "linear"},
    "cat": {"weights": MIXED, "combination_type": "cat"},
    "svd": {"weights": MIXED, "combination_type": "svd", "svd_rank": 3},
    "ties": {"weights": EQUAL, "combination_type": "ties", "density": 0.5},
    "ties_svd": {"weights": EQUAL, "combination_type": "ties_svd", "density": 0.5, "svd_rank": FULL},
    "ties_svd_scaled": {
        "weights": [0.6, 0.6, 0.6],
        "combination_type": "ties_svd",
        "density": 0.3,
        "svd_rank": FULL,
    },
    "ties_svd_mixed": {"weights": MIXED, "combination_type": "ties_svd", "density": 0.5, "svd_rank": FULL},
    # Nothing is trimmed, so that three votes are never a draw.
    "ties_svd_by_count": {
        "weights": EQUAL,
        "combination_type": "ties_svd",
        "density": 1.0,
        "svd_rank": FULL,
        "majority_sign_method": "frequency",
    },
    "magnitude_prune": {"weights": MIXED, "combination_type": "magnitude_prune", "density": 0.4},
    "magnitude_prune_svd": {
        "weights": MIXED,
        "combination_type": "magnitude_prune_svd",
        "density": 0.4,
        "svd_rank": FULL,
    },
    # Random numbers differ; where nothing is dropped there are none.
    "dare_linear_svd": {
        "weights": MIXED,
        "combination_type": "dare_linear_svd",
        "density": 1.0,
        "svd_rank": FULL,
    },
}


def _model() -> Any:
    family = next(each for each in FAMILIES if each.name == "bert")
    configs = {
        name: peft.LoraConfig(r=RANK, lora_alpha=alpha, target_modules=list(family.query_value))
        for name, alpha in SCALES.items()
    }
    torch.manual_seed(0)
    model = peft.get_peft_model(family.build(), configs["a"], adapter_name="a")
    for name in ("b", "c"):
        model.add_adapter(name, configs[name])
    for name in NAMES:
        own = {key: value for key, value in model.named_parameters() if f".{name}." in key}
        add_noise(own, ADAPTER_NOISE, f"merging {name}")
    return model.eval().double()


def _updates(model: Any, name: str) -> Tensors:
    """ΔW by the module's path in the base model."""
    prefix = "base_model.model."
    return {
        path.removeprefix(prefix): module.get_delta_weight(name)
        for path, module in model.named_modules()
        if hasattr(module, "get_delta_weight") and name in module.lora_A
    }


def main() -> None:
    """Everything, from nothing."""
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    tensors: Tensors = {}
    for name in NAMES:
        tensors |= {f"adapters/{name}/{path}": value for path, value in _updates(_model(), name).items()}
    for way, options in WAYS.items():
        model, given = _model(), {"adapters": NAMES, **options}
        model.add_weighted_adapter(adapter_name=way, **given)
        tensors |= {f"ways/{way}/{path}": value for path, value in _updates(model, way).items()}
    write_tensors(OUT / "peft.safetensors", tensors)
    write_json(
        OUT / "peft.json", {"rank": RANK, "ways": {w: {"adapters": NAMES, **o} for w, o in WAYS.items()}}
    )
    print(f"{len(WAYS)} ways, {len(tensors)} tensors")


if __name__ == "__main__":
    main()
