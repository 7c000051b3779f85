"""FourierFT: learned entries of a spectrum, whose places a seed tells."""

from adapter_lib.inject import Atlas
from adapter_lib.spec.configs import FourierFTConfig
from tests.interop.porting_peft.checkpoint import Checkpoint
from tests.interop.porting_peft.ported import Member
from tests.interop.porting_peft.target_modules import aimed_at, target


def fourierft(checkpoint: Checkpoint, atlas: Atlas) -> list[Member]:
    """The peer draws the entries of [out, in] as ours does; a fused map has a spectrum of its own shape."""
    targets = [target(path, atlas) for path in checkpoint.paths("fourierft_spectrum")]
    tensors = {
        found.spot.key: {"spectrum": checkpoint.take(found.path, "fourierft_spectrum")} for found in targets
    }
    given = checkpoint.config
    config = FourierFTConfig(
        **aimed_at(targets, atlas),
        n_frequency=given["n_frequency"],
        scaling=given["scaling"],
        seed=given["random_loc_seed"],
    )
    return [Member(config, tensors)]
