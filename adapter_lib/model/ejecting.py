"""Baking reparametrised prefixes and prompts into flat ones."""

from collections.abc import Callable

import torch
from torch import nn

from adapter_lib.engine import Part, Several
from adapter_lib.methods import PrefixTuning, PromptTuning, PTuning
from adapter_lib.model.activation import Activation
from adapter_lib.spec.configs import (
    MethodConfig,
    PrefixTuningConfig,
    PromptTuningConfig,
    PTuningConfig,
    UnionConfig,
)
from adapter_lib.spec.configs.registry import config_from_dict
from adapter_lib.spec.errors import AttachError


class Ejecting(Activation):
    """Prefix tuning and p-tuning after their training."""

    def eject_prefix_tuning(self, name: str) -> None:
        """Replace an adapter's reparametrised prefixes by the keys and values that they make.

        The outputs stay the same; embeddings and linear maps, which only training needs, are dropped, and the
        config is flat from now on. In a union the other members stay as they are.
        Raises UnknownNameError, or AttachError if there is nothing to replace.
        """
        self._eject(name, _flat_prefix, _ejected_prefix, "reparametrised prefix")
        injection = self.adapter_runtime.injection
        for number, shared in injection.shared_parts(name).items():
            if isinstance(shared.config, PrefixTuningConfig):
                injection.drop_shared(name, number)
        self._note_keys()

    def eject_p_tuning(self, name: str) -> None:
        """Replace an adapter's p-tuning by prompt tuning with the prompts that its networks make.

        The outputs stay the same; the networks are dropped. In a union the other members stay as they are.
        Raises UnknownNameError, or AttachError if there is nothing to replace.
        """
        self._eject(name, _flat_prompt, _ejected_prompt, "reparametrised prompt")
        self._note_keys()

    def _eject(
        self,
        name: str,
        flat: Callable[[MethodConfig], MethodConfig],
        ejected: Callable[[Part], Part],
        what: str,
    ) -> None:
        """flat: the config that a config becomes; ejected: the part that a part becomes."""
        self._check_known([name])
        injection = self.adapter_runtime.injection
        config = _changed(injection.configs[name], flat)
        if config == injection.configs[name]:
            raise AttachError(f"{name!r} has no {what} to replace.")
        for key, part in injection.parts(name).items():
            point = injection.points.points[key]
            if isinstance(part, Several):
                members = {number: ejected(member) for number, member in part.named_members().items()}
                point.add(name, Several(members))
            else:
                point.add(name, ejected(part))
        injection.configs[name] = config
        injection.activate(injection.block, injection.skipped)


def _changed(config: MethodConfig, flat: Callable[[MethodConfig], MethodConfig]) -> MethodConfig:
    if isinstance(config, UnionConfig):
        members = tuple(_changed(member, flat) for member in config.configs)
        return UnionConfig(configs=members, leave_out=config.leave_out)
    return flat(config)


def _flat_prefix(config: MethodConfig) -> MethodConfig:
    if isinstance(config, PrefixTuningConfig):
        return config_from_dict(config.method, config.values() | {"flat": True})
    return config


def _ejected_prefix(part: Part) -> Part:
    """The same part, or a flat one in the place of a reparametrised prefix."""
    if not isinstance(part, PrefixTuning) or part.config.flat:
        return part
    made = PrefixTuning(_flat_prefix(part.config), part.place, part.host)
    if part.place.kind == "positions":
        return made
    with torch.no_grad():
        keys, values = part.prefix()
        made.key.copy_(keys)
        made.value.copy_(values)
    return _kept(made, part, part.get_parameter("up.weight"))


def _flat_prompt(config: MethodConfig) -> MethodConfig:
    if not isinstance(config, PTuningConfig):
        return config
    kept = ("leave_out", "use_gating", "gate_over_padding", "prompt_length", "combine", "all_towers")
    return config_from_dict(PromptTuningConfig.method, {name: getattr(config, name) for name in kept})


def _ejected_prompt(part: Part) -> Part:
    """The same part, or a prompt in the place of p-tuning's."""
    if not isinstance(part, PTuning):
        return part
    made = PromptTuning(_flat_prompt(part.config), part.place, part.host)
    with torch.no_grad():
        # Without dropout, whether the model is in training or not.
        made.prompt.copy_(part.eval().made())
    return _kept(made, part, part.embedding)


def _kept(made: Part, part: Part, trained: nn.Parameter) -> Part:
    """The new part with the old one's gate itself, which may be in training, and trained as it was."""
    for parameter in made.parameters():
        parameter.requires_grad_(trained.requires_grad)
    made.gate = part.gate
    return made
