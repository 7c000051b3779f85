"""Arrows point down only (DESIGN.md section 2): a layer imports itself and what stands below it."""

import pytest

from tests.architecture.imports import graph

# Each layer and what it may import besides itself, of ours.
SITE = ("core", "storage", "accounts", "registry", "validation", "search")
FACES = ("hfapi", "api", "web")
SETTINGS = ("settings", "urls", "wsgi")

LIBRARY: dict[str, set[str]] = {
    "version": set(),
    "spec": {"version"},
    "families": {"spec"},
    "engine": {"spec", "families"},
    "points": {"spec", "families", "engine"},
    "methods": {"spec", "families", "engine"},
    "heads": {"spec", "families", "engine", "points"},
    "inject": {"spec", "families", "engine", "points", "methods", "heads"},
    "merging": {"spec", "families", "engine", "points", "methods", "heads", "inject"},
    "formats": {"spec", "families", "engine", "points", "methods", "heads", "inject", "version"},
    "model": {"spec", "families", "engine", "points", "methods", "heads", "formats", "inject", "merging"},
}
_BELOW_TRAINING = set(LIBRARY)
LIBRARY["hub"] = _BELOW_TRAINING
LIBRARY["training"] = {*_BELOW_TRAINING, "hub"}
LIBRARY["inspection"] = _BELOW_TRAINING
LIBRARY["tasks"] = {*_BELOW_TRAINING, "training"}
LIBRARY["cli"] = {*_BELOW_TRAINING, "training", "inspection", "hub", "tasks"}


def layer(module: str) -> tuple[str, str]:
    """`hubsite.web.views` → ("hubsite", "web")."""
    parts = module.split(".")
    return parts[0], parts[1] if len(parts) > 1 else ""


def allowed(source: tuple[str, str], target: tuple[str, str]) -> bool:
    if source == target:
        return True
    if source[0] == "adapter_lib":
        if source[1] == "":
            return target[0] == "adapter_lib"
        return target[0] == "adapter_lib" and target[1] in LIBRARY.get(source[1], set())
    if source[0] == "workers":
        return target[0] in {"hubsite", "adapter_lib", "workers"}
    if target[0] == "adapter_lib":
        return target[1] == "spec"
    return target[0] == "hubsite" and _site_allows(source[1], target[1])


def _site_allows(source: str, target: str) -> bool:
    if source in SETTINGS:
        return target in SETTINGS or target in FACES
    if source == "launch":
        return target not in SETTINGS
    if source in FACES:
        return target in SITE
    return source in SITE and target in SITE[: SITE.index(source)]


def test_arrows_point_down() -> None:
    wrong = [
        f"{source} → {target}"
        for source, targets in graph().items()
        for target in sorted(targets)
        if not allowed(layer(source), layer(target))
    ]
    assert not wrong, "imports against the arrows:\n" + "\n".join(wrong)


@pytest.mark.parametrize(
    ("source", "target"),
    [
        (("hubsite", "registry"), ("hubsite", "web")),
        (("hubsite", "web"), ("hubsite", "api")),
        (("hubsite", "web"), ("adapter_lib", "model")),
        (("adapter_lib", "spec"), ("adapter_lib", "families")),
        (("hubsite", "core"), ("workers", "app")),
        (("adapter_lib", "model"), ("hubsite", "core")),
    ],
)
def test_an_upward_arrow_is_seen(source: tuple[str, str], target: tuple[str, str]) -> None:
    assert not allowed(source, target)
