"""A method's configuration in a few characters, for a list row and for the search field."""

from collections.abc import Mapping

# What tells two adapters of one method apart; all the rest stays on the adapter's page.
_NUMBERS = {"r": "r", "reduction_factor": "rf"}


def config_text(config: Mapping[str, object]) -> str:
    """E.g. `r=8 q,v` or `rf=16 relu`; empty for a configuration without any telling key."""
    parts = [
        f"{short}={value:g}"
        for key, short in _NUMBERS.items()
        if isinstance(value := config.get(key), int | float) and not isinstance(value, bool)
    ]
    activation, targets = config.get("non_linearity"), config.get("targets")
    if isinstance(activation, str):
        parts.append(activation)
    if isinstance(targets, list | tuple):
        parts.append(",".join(str(target) for target in targets))
    return " ".join(parts)
