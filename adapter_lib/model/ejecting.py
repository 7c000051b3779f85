"""Baking reparametrised prefixes into flat ones."""

import torch

from adapter_lib.engine import Part, Several
from adapter_lib.methods import PrefixTuning
from adapter_lib.model.activation import Activation
from adapter_lib.spec.configs import MethodConfig, PrefixTuningConfig, UnionConfig
from adapter_lib.spec.configs.registry import config_from_dict
from adapter_lib.spec.errors import AttachError


class Ejecting(Activation):
    """Prefix tuning after its training."""

    def eject_prefix_tuning(self, name: str) -> None:
        """Replace an adapter's reparametrised prefixes by the keys and values that they make.

        The outputs stay the same; embeddings and linear maps, which only training needs, are dropped, and the
        config is flat from now on. In a union the other members stay as they are.
        Raises UnknownNameError, or AttachError if there is nothing to replace.
        """
        self._check_known([name])
        injection = self.adapter_runtime.injection
        flat = _flat(injection.configs[name])
        if flat == injection.configs[name]:
            raise AttachError(f"{name!r} has no reparametrised prefix to replace.")
        for key, part in injection.parts(name).items():
            point = injection.points.points[key]
            if isinstance(part, Several):
                members = {number: _ejected(member) for number, member in part.named_members().items()}
                point.add(name, Several(members))
            else:
                point.add(name, _ejected(part))
        for number, shared in injection.shared_parts(name).items():
            if isinstance(shared.config, PrefixTuningConfig):
                injection.drop_shared(name, number)
        injection.configs[name] = flat
        injection.activate(injection.block, injection.skipped)
        self._note_keys()


def _flat(config: MethodConfig) -> MethodConfig:
    if isinstance(config, UnionConfig):
        members = tuple(_flat(member) for member in config.configs)
        return UnionConfig(configs=members, leave_out=config.leave_out)
    if isinstance(config, PrefixTuningConfig):
        return config_from_dict(config.method, config.values() | {"flat": True})
    return config


def _ejected(part: Part) -> Part:
    """The same part, or a flat one in the place of a reparametrised prefix."""
    if not isinstance(part, PrefixTuning) or part.config.flat:
        return part
    made = PrefixTuning(_flat(part.config), part.place, part.host)
    with torch.no_grad():
        keys, values = part.prefix()
        made.key.copy_(keys)
        made.value.copy_(values)
    # The gate itself: it may be in training.
    made.gate = part.gate
    for parameter in (made.key, made.value):
        parameter.requires_grad_(part.get_parameter("up.weight").requires_grad)
    return made
