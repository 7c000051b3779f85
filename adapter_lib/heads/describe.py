"""What a user says about a head, checked."""

from collections.abc import Mapping, Sequence

from adapter_lib.spec.errors import ConfigError
from adapter_lib.spec.heads import ACTIVATIONS, POOLINGS, ClassificationSpec

Labels = Sequence[str] | Mapping[int, str]


def label_names(
    num_labels: int | None, labels: Labels | None, *, kind: str = "A classification head"
) -> tuple[str, ...]:
    """The names of the classes: as given, or LABEL_0, LABEL_1 …

    labels: in order, or by number, as `id2label` of a config has them. Raises ConfigError.
    """
    if labels is None:
        if num_labels is None or num_labels < 1:
            raise ConfigError(f"{kind} needs labels=[…] or num_labels of at least 1.")
        return tuple(f"LABEL_{i}" for i in range(num_labels))
    names = _numbered(labels) if isinstance(labels, Mapping) else tuple(labels)
    if isinstance(labels, str) or not names or not all(isinstance(name, str) and name for name in names):
        raise ConfigError(f"labels must be a list of names, not {labels!r}.")
    if len(set(names)) < len(names):
        raise ConfigError(f"labels names a class twice: {', '.join(names)}.")
    if num_labels not in (None, len(names)):
        raise ConfigError(f"num_labels is {num_labels}, but {len(names)} labels are named.")
    return names


def _numbered(labels: Mapping[int, str]) -> tuple[str, ...]:
    if set(labels) != set(range(len(labels))):
        raise ConfigError(f"labels must number the classes from 0 on, not {sorted(labels, key=str)}.")
    return tuple(labels[number] for number in range(len(labels)))


def head_spec(
    labels: tuple[str, ...],
    *,
    pooling: str,
    layers: int,
    activation: str,
    dropout: float,
    use_bias: bool = True,
) -> ClassificationSpec:
    """The description of a classification head. Raises ConfigError for a value out of range."""
    if pooling not in POOLINGS:
        raise ConfigError(f"pooling must be one of {', '.join(POOLINGS)}, not {pooling!r}.")
    if activation not in ACTIVATIONS:
        raise ConfigError(f"activation must be one of {', '.join(ACTIVATIONS)}, not {activation!r}.")
    if layers < 1 or not 0 <= dropout < 1:
        raise ConfigError(
            f"A head needs at least one layer and a dropout from 0 to 1, not {layers} and {dropout}."
        )
    return ClassificationSpec(labels, pooling, layers, activation, float(dropout), use_bias)
