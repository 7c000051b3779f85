"""What a user says about a head, checked."""

from collections.abc import Sequence

from adapter_lib.heads.classification import ACTIVATIONS, POOLINGS
from adapter_lib.spec.errors import ConfigError
from adapter_lib.spec.manifest import HeadSpec


def label_names(num_labels: int | None, labels: Sequence[str] | None) -> tuple[str, ...]:
    """The names of the classes: as given, or LABEL_0, LABEL_1 … Raises ConfigError."""
    if labels is None:
        if num_labels is None or num_labels < 1:
            raise ConfigError("A classification head needs labels=[…] or num_labels of at least 1.")
        return tuple(f"LABEL_{i}" for i in range(num_labels))
    names = tuple(labels)
    if isinstance(labels, str) or not names or not all(isinstance(name, str) and name for name in names):
        raise ConfigError(f"labels must be a list of names, not {labels!r}.")
    if len(set(names)) < len(names):
        raise ConfigError(f"labels names a class twice: {', '.join(names)}.")
    if num_labels not in (None, len(names)):
        raise ConfigError(f"num_labels is {num_labels}, but {len(names)} labels are named.")
    return names


def head_spec(
    labels: tuple[str, ...], *, pooling: str, layers: int, activation: str, dropout: float
) -> HeadSpec:
    """The description of a classification head. Raises ConfigError for a value out of range."""
    if pooling not in POOLINGS:
        raise ConfigError(f"pooling must be one of {', '.join(POOLINGS)}, not {pooling!r}.")
    if activation not in ACTIVATIONS:
        raise ConfigError(f"activation must be one of {', '.join(ACTIVATIONS)}, not {activation!r}.")
    if layers < 1 or not 0 <= dropout < 1:
        raise ConfigError(
            f"A head needs at least one layer and a dropout from 0 to 1, not {layers} and {dropout}."
        )
    return HeadSpec("classification", labels, pooling, layers, activation, float(dropout))
