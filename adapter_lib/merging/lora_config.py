"""The LoRA config for given places and ranks."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from adapter_lib.inject import Atlas, Key
from adapter_lib.spec.configs import LoRAConfig, MethodConfig, Place
from adapter_lib.spec.configs.targeted import ROLE_WORDS, TargetedConfig
from adapter_lib.spec.errors import AttachError
from adapter_lib.spec.roles import MODULE_PREFIX

_WORD_OF = {role: word for word, roles in ROLE_WORDS.items() for role in roles}


@dataclass(frozen=True)
class Cover:
    """What a LoRA is told to act on, and the places that this comes to.

    places: at least those that were asked for. Words for roles mean all of them in a layer, so that there may
    be more.
    """

    targets: tuple[str, ...]
    leave_out: tuple[int, ...]
    places: Mapping[Key, Place]

    def config(self, ranks: Mapping[Key, int]) -> LoRAConfig:
        """The config with these ranks, 1 where none is told, and s = 1 everywhere."""
        all_ranks = {key: ranks.get(key, 1) for key in self.places}
        usual = Counter(all_ranks.values()).most_common(1)[0][0]
        others = {self.places[key].key: rank for key, rank in all_ranks.items() if rank != usual}
        return LoRAConfig(
            targets=self.targets,
            leave_out=self.leave_out,
            r=usual,
            alpha=float(usual),
            rank_pattern=others or None,
            alpha_pattern={place: float(rank) for place, rank in others.items()} or None,
        )


def cover(atlas: Atlas, keys: Iterable[Key], configs: Sequence[MethodConfig]) -> Cover:
    """Targets that mean these places, exactly where that can be said, else the fewest more.

    configs: those that the places come from; what they say is said again where it fits.
    """
    wanted = frozenset(keys)
    found = [_cover(atlas, *candidate) for candidate in _candidates(atlas, wanted, configs)]
    fitting = [each for each in found if wanted <= set(each.places)]
    return min(fitting, key=lambda each: len(each.places))


def key_for_lora(atlas: Atlas, key: Key) -> Key:
    """The key under which a LoRA's config reaches the map of a place: embeddings are told by their path.

    Raises AttachError where there is none.
    """
    if key[1] in _WORD_OF or key[1].startswith(MODULE_PREFIX):
        return key
    module = atlas.spot(key).module
    for spot in atlas.unnamed():
        if spot.module is module:
            return spot.key
    raise AttachError(f"A LoRA cannot be put on {atlas.spot(key).place.key}.")


def _cover(atlas: Atlas, targets: tuple[str, ...], leave_out: tuple[int, ...]) -> Cover:
    spots = atlas.find(LoRAConfig(targets=targets, leave_out=leave_out))
    return Cover(targets, leave_out, {spot.key: spot.place for spot in spots})


def _candidates(
    atlas: Atlas, wanted: frozenset[Key], configs: Sequence[MethodConfig]
) -> Iterator[tuple[tuple[str, ...], tuple[int, ...]]]:
    targeted = [config for config in configs if isinstance(config, TargetedConfig)]
    if configs and len(targeted) == len(configs):
        said = tuple(dict.fromkeys(word for config in targeted for word in config.targets))
        everywhere = set.intersection(*(set(config.leave_out) for config in targeted))
        yield said, tuple(sorted(everywhere))
    layers = {layer for layer, _ in wanted if layer >= 0}
    left_out = tuple(layer for layer in range(atlas.num_layers) if layers and layer not in layers)
    yield _words(wanted), left_out
    yield _paths(atlas, wanted), ()


def _words(wanted: frozenset[Key]) -> tuple[str, ...]:
    return tuple(sorted({_WORD_OF.get(role) or _exactly(_path(role)) for _, role in wanted}))


def _paths(atlas: Atlas, wanted: frozenset[Key]) -> tuple[str, ...]:
    """Every map by its path; experts have none of their own."""
    paths = {module: path for path, module in atlas.resolved.base.named_modules()}
    found = set()
    for key in wanted:
        spot = atlas.spot(key)
        is_named = spot.place.kind != "experts" and spot.module in paths
        found.add(_exactly(paths[spot.module]) if is_named else _WORD_OF[key[1]])
    return tuple(sorted(found))


def _path(role: str) -> str:
    return role.removeprefix(MODULE_PREFIX)


def _exactly(path: str) -> str:
    return f"re:{re.escape(path)}"
