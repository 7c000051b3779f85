"""FourierFT: learned entries of a spectrum, whose places a seed tells."""

from adapter_lib.formats.peft.checkpoint import Checkpoint
from adapter_lib.formats.peft.members import Member
from adapter_lib.formats.peft.modules import Modules, Target
from adapter_lib.spec.configs import FourierFTConfig


def fourierft(checkpoint: Checkpoint, modules: Modules) -> list[Member]:
    """PEFT draws the entries of [out, in] as ours does; a fused map has a spectrum of its own shape.

    One config per number of frequencies.
    """
    settings = checkpoint.settings
    groups: dict[int, list[Target]] = {}
    held = {
        path: checkpoint.take(path, "fourierft_spectrum") for path in checkpoint.paths("fourierft_spectrum")
    }
    for path, spectrum in held.items():
        groups.setdefault(spectrum.numel(), []).append(modules.target(path))
    members: list[Member] = []
    for count, targets in groups.items():
        tensors = {target.spot.key: {"spectrum": held[target.path].flatten()} for target in targets}
        config = FourierFTConfig(
            **modules.aim(targets),
            n_frequency=count,
            scaling=settings.number("scaling", 150),
            seed=settings.whole("random_loc_seed", 777),
        )
        members.append(Member(config, tensors))
    return members
