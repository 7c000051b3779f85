"""A method's configuration in a few characters, for a list row and for the search field."""

from collections.abc import Mapping

# What tells two adapters of one method apart, in the order people say it; other keys stay on the page.
_TELLING = {"r": "r", "alpha": "alpha", "reduction_factor": "rf", "non_linearity": ""}
# `attn.q` is written `q`, `ffn.down` is written `down`.
_ROLES = ("attn.", "ffn.")


def config_text(config: Mapping[str, object]) -> str:
    """E.g. `r=8 alpha=16 q,v` or `rf=16 relu`; empty for a configuration without any telling key."""
    parts = [
        f"{short}={value}" if short else str(value)
        for key, short in _TELLING.items()
        if isinstance(value := config.get(key), int | float | str) and not isinstance(value, bool)
    ]
    targets = config.get("targets")
    if isinstance(targets, list | tuple):
        parts.append(",".join(_short_role(str(role)) for role in targets))
    return " ".join(part for part in parts if part)


def _short_role(role: str) -> str:
    return next((role.removeprefix(prefix) for prefix in _ROLES if role.startswith(prefix)), role)
