"""AdaLoRA: P Λ Q."""

from torch import Tensor

from adapter_lib.inject import Atlas
from adapter_lib.inject.atlas import Key
from adapter_lib.spec.configs import AdaLoRAConfig
from tests.interop.porting_peft.checkpoint import Checkpoint
from tests.interop.porting_peft.ported import Member
from tests.interop.porting_peft.target_modules import aimed_at, rows, target

# The peer divides by the rank and a little more.
_MORE = 1e-5


def adalora(checkpoint: Checkpoint, atlas: Atlas) -> list[Member]:
    """The peer's scale is alpha / (rank + 1e-5): what is more goes into Λ."""
    given, tensors = checkpoint.config, dict[Key, dict[str, Tensor]]()
    targets = [target(path, atlas) for path in checkpoint.paths("lora_A")]
    rank = given["init_r"]
    for found in targets:
        q, p, singular = (checkpoint.take(found.path, f"lora_{name}") for name in "ABE")
        for spot in found.spots:
            scaled = singular.flatten() * (rank / (rank + _MORE))
            tensors[spot.key] = {"q": q, "p": rows(spot, p), "singular": scaled}
    config = AdaLoRAConfig(
        **aimed_at(targets, atlas),
        init_r=rank,
        target_r=given["target_r"],
        alpha=given["lora_alpha"],
        dropout=given["lora_dropout"],
        orth_reg=given["orth_reg_weight"],
        tinit=given["tinit"],
        tfinal=given["tfinal"],
        delta_t=given["deltaT"],
        beta1=given["beta1"],
        beta2=given["beta2"],
    )
    return [Member(config, tensors)]
