"""One reader per key of the front matter: the value if it is usable, else nothing and a warning."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from adapter_lib.spec.ids import IdError, check_repo_name
from adapter_lib.spec.strict_json import quoted

Warn = Callable[[str], None]
Front = Mapping[str, Any]
TASK_KEY = "adapter_task"
MAX_VALUES = 100
MAX_CLAIMS = 100
_LICENSE = re.compile(r"[a-z0-9][a-z0-9.+-]{0,59}")
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[a-z0-9]{2,8}){0,3}")
_TASK = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")
_MAX_NAME = 120


@dataclass(frozen=True)
class Claim:
    """A result that the author states in `model-index`; `value` as written, a fraction or a percentage."""

    metric: str
    value: float
    dataset: str = ""

    @property
    def fraction(self) -> float | None:
        """The value from 0 to 1, numbers above 1 taken as per cent; None if it is neither."""
        if 0 <= self.value <= 1:
            return self.value
        return self.value / 100 if 1 < self.value <= 100 else None


def license_id(front: Front, warn: Warn) -> str:
    """The licence's identifier, lower case."""
    value = front.get("license")
    if value is None:
        if front:
            warn("`license` is missing: others cannot know what they may do with this adapter.")
        return ""
    if not isinstance(value, str) or not _LICENSE.fullmatch(value.strip().lower()):
        warn("`license` must be one identifier such as apache-2.0.")
        return ""
    return value.strip().lower()


def languages(front: Front, warn: Warn) -> tuple[str, ...]:
    """Language tags (BCP-47), lower case."""
    found = []
    for tag in _texts(front, "language", warn):
        lowered = tag.lower().replace("_", "-")
        if _LANGUAGE.fullmatch(lowered):
            found.append(lowered)
        else:
            warn(f"`language` {quoted(tag)} is not a language tag such as en or pt-br.")
    return _unique(found)


def task(front: Front, warn: Warn) -> str:
    """The task's slug. Whether it exists is not known here."""
    value = front.get(TASK_KEY)
    if value is None:
        return ""
    if not isinstance(value, str) or not _TASK.fullmatch(value.strip().lower()):
        warn(f"`{TASK_KEY}` must be one task such as sentiment.")
        return ""
    return value.strip().lower()


def datasets(front: Front, warn: Warn) -> tuple[str, ...]:
    """Names of the datasets it was trained on."""
    return _unique(_short(_texts(front, "datasets", warn), "datasets", warn))


def tags(front: Front, warn: Warn) -> tuple[str, ...]:
    """The free tags."""
    return _unique(_short(_texts(front, "tags", warn), "tags", warn))


def base_model(front: Front, warn: Warn) -> str:
    """The backbone's upstream id."""
    found = _texts(front, "base_model", warn)
    if not found:
        return ""
    if len(found) > 1:
        warn("`base_model` names several models; an adapter belongs to one, so the first is taken.")
    namespace, slash, name = found[0].partition("/")
    try:
        check_repo_name(namespace if slash else None, name if slash else namespace)
    except IdError:
        warn(f"`base_model` {quoted(found[0])} is not a model id such as google-bert/bert-base-uncased.")
        return ""
    return found[0]


def claims(front: Front, warn: Warn) -> tuple[Claim, ...]:
    """The metrics in `model-index`, in the order in which they stand there."""
    if front.get("model-index") is None:
        return ()
    found: list[Claim] = []
    for model in _objects(front["model-index"]):
        for result in _objects(model.get("results")):
            dataset = _dataset_name(result.get("dataset"))
            found += [
                claim for metric in _objects(result.get("metrics")) if (claim := _claim(metric, dataset))
            ]
    if not found:
        warn("`model-index` has no metric with a `type` and a number as `value`.")
    return tuple(found[:MAX_CLAIMS])


def _claim(metric: Mapping[str, Any], dataset: str) -> Claim | None:
    kind, value = metric.get("type"), metric.get("value")
    if not isinstance(kind, str) or not kind.strip():
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    # The front matter's reader has refused numbers that are not finite.
    return Claim(kind.strip()[:_MAX_NAME], float(value), dataset)


def _dataset_name(value: Any) -> str:
    if not isinstance(value, Mapping):
        return ""
    name = value.get("type") or value.get("name")
    return name.strip()[:_MAX_NAME] if isinstance(name, str) else ""


def _objects(value: Any) -> list[Mapping[str, Any]]:
    return [item for item in value if isinstance(item, Mapping)] if isinstance(value, list) else []


def _texts(front: Front, key: str, warn: Warn) -> list[str]:
    value = front.get(key)
    if value is None:
        return []
    items = value if isinstance(value, list) else [value]
    found = [item.strip() for item in items if isinstance(item, str) and item.strip()]
    if len(found) < len(items):
        warn(f"`{key}` must be text or a list of texts; what is not was left out.")
    if len(found) > MAX_VALUES:
        warn(f"`{key}` has more than {MAX_VALUES} values; the rest was left out.")
    return found[:MAX_VALUES]


def _short(values: list[str], key: str, warn: Warn) -> list[str]:
    found = [value for value in values if len(value) <= _MAX_NAME and value.isprintable()]
    if len(found) < len(values):
        warn(f"`{key}` has unprintable values or some of over {_MAX_NAME} characters; they were left out.")
    return found


def _unique(values: list[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(values))
