"""Methods that change maps with weights, which the user chooses."""

import re
from dataclasses import dataclass
from typing import Any, ClassVar

from adapter_lib.spec.configs.base import Aim, MethodConfig, Place, Shapes
from adapter_lib.spec.configs.checks import check_gating, check_layer_ids, refuse, store
from adapter_lib.spec.errors import ConfigError
from adapter_lib.spec.roles import EXPERT_ROLES, LEAF_ROLES

# What a target may be called, and the roles it stands for: self- and cross-attention alike.
ROLE_WORDS: dict[str, tuple[str, ...]] = {
    "q": ("attn.q", "xattn.q"),
    "k": ("attn.k", "xattn.k"),
    "v": ("attn.v", "xattn.v"),
    "o": ("attn.o", "xattn.o"),
    "up": ("ffn.up",),
    "gate": ("ffn.gate",),
    "down": ("ffn.down",),
    "experts": EXPERT_ROLES,
}
ALL_LINEAR = "all-linear"
_REGEX = "re:"
_MODULE_NAME = re.compile(r"[A-Za-z0-9_.]+")


@dataclass(frozen=True, eq=False, kw_only=True)
class TargetedConfig(MethodConfig):
    """Base of the methods that change maps with weights.

    targets: what is changed. `q`, `k`, `v`, `o` (of self- and cross-attention), `up`, `gate`, `down` (of the
        feed-forward block), the letters of a fused projection singly; `experts` (the expert tensors of a
        mixture of experts); `all-linear` (every linear map of the layers, the experts' excluded); a module's
        name or the end of its path (`query`, `attention.self.query`); or `re:` and a regular expression for
        the whole path. A word that is a role is taken as that role.
    """

    # Kinds of places the method can change.
    kinds: ClassVar[tuple[str, ...]] = ("linear",)

    targets: tuple[str, ...] = ("q", "v")

    def __post_init__(self) -> None:
        check_gating(self)
        check_layer_ids(self, "leave_out")
        self._check_targets()

    def _check_targets(self) -> None:
        given: Any = self.targets
        if isinstance(given, str):
            given = (given,)
        if not isinstance(given, list | tuple) or not given or not all(_is_target(word) for word in given):
            raise refuse(
                self, "targets", f"a list of {', '.join(ROLE_WORDS)}, {ALL_LINEAR}, module names or re:…"
            )
        known = [word for word in ROLE_WORDS if word in given]
        others = sorted({word for word in given if word not in ROLE_WORDS})
        store(self, "targets", (*known, *others))

    def aims(self) -> tuple[Aim, ...]:
        return tuple(_aim(word) for word in self.targets)

    def shapes(self, place: Place) -> Shapes:
        if place.kind not in self.kinds:
            known = " or ".join(self.kinds)
            raise ConfigError(
                f"{self.name()} changes {known} maps, and {place.role} is of the kind {place.kind}."
            )
        if self.use_gating and place.kind in ("conv", "experts"):
            raise ConfigError(
                f"A gate looks at vectors, one per token, and {place.role} is of the kind {place.kind}: "
                "set use_gating=false."
            )
        return self.map_shapes(place)

    def map_shapes(self, place: Place) -> Shapes:
        """Names and shapes of the tensors for a place of a kind that the method can change."""
        raise NotImplementedError


def _aim(word: str) -> Aim:
    if word in ROLE_WORDS:
        return Aim(word, ROLE_WORDS[word])
    if word == ALL_LINEAR:
        return Aim(word, LEAF_ROLES, pattern=ALL_LINEAR)
    if word.startswith(_REGEX):
        return Aim(word, pattern=word.removeprefix(_REGEX))
    return Aim(word, pattern=name_pattern(word))


def name_pattern(name: str) -> str:
    """The regular expression for the paths that are, or end in, a module's name."""
    return rf"(.*\.)?{re.escape(name)}"


def _is_target(word: object) -> bool:
    if not isinstance(word, str) or not word or len(word) > 200 or not word.isprintable():
        return False
    if word.startswith(_REGEX):
        try:
            re.compile(word.removeprefix(_REGEX))
        except re.error:
            return False
        return True
    return word == ALL_LINEAR or _MODULE_NAME.fullmatch(word) is not None
