"""The modules that a checkpoint's settings name: what of them the file does not adapt is worth a note."""

import re
from collections.abc import Collection

from torch import nn

from adapter_lib.formats.peft.modules import Modules
from adapter_lib.formats.peft.settings import Settings, matches_whole
from adapter_lib.points import maps

_ALL_LINEAR = "all-linear"
# The first number in a path between dots, behind a list's name.
_LAYER = re.compile(r".*?\.[^.]*\.(\d+)\.")
_SHOWN = 3


def note_missing(settings: Settings, adapted: Collection[str], modules: Modules) -> list[str]:
    """A note on the maps that `target_modules` names and no tensor of the file adapts; often none.

    adapted: the paths that the file has tensors for. PEFT leaves such maps as they are, too.
    """
    if settings.get("target_modules") is None:
        return []
    known = {modules.find(path) for path in adapted}
    missing = [path for path in _asked(settings, modules) if modules.find(path) not in known]
    if not missing:
        return []
    shown = ", ".join(missing[:_SHOWN]) + (" …" if len(missing) > _SHOWN else "")
    return [f"The file has nothing for {len(missing)} of the modules that target_modules names: {shown}."]


def _asked(settings: Settings, modules: Modules) -> list[str]:
    layers = set(settings.numbers("layers_to_transform"))
    return [
        path
        for path, module in modules.all_maps()
        if _is_named(settings, "target_modules", path, module)
        and not _is_named(settings, "exclude_modules", path, module)
        and (not layers or _layer(path) in layers)
    ]


def _is_named(settings: Settings, key: str, path: str, module: nn.Module) -> bool:
    given = settings.get(key)
    if given == _ALL_LINEAR:
        return maps.kind_of(module) == "linear"
    if isinstance(given, str):
        return matches_whole(given, path)
    return any(path == name or path.endswith(f".{name}") for name in settings.words(key))


def _layer(path: str) -> int | None:
    found = _LAYER.match(path)
    return int(found[1]) if found else None
