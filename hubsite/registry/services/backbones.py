"""Backbones become known: by an adapter that names one, or by a repository that holds one."""

import re
from collections.abc import Iterable
from typing import Any

from django.db import transaction

from adapter_lib.spec import strict_json
from adapter_lib.spec.ids import IdError, check_repo_name
from adapter_lib.spec.manifest import BackboneRef
from adapter_lib.spec.safetensors_header import HeaderError
from hubsite.core.errors import BadInput
from hubsite.registry.models import Backbone, Repo
from hubsite.registry.selectors import backbones
from hubsite.registry.services.content import Content
from hubsite.registry.services.kinds import MODEL_CONFIG

_MODEL_TYPE = re.compile(r"[A-Za-z0-9_.-]{1,60}")
_CONFIG_LIMIT = 1024**2
_CONFIG_ITEMS = 100_000
# Each family's own words for the same two numbers.
_HIDDEN_SIZE = ("hidden_size", "n_embd", "d_model", "dim")
_NUM_LAYERS = ("num_hidden_layers", "n_layer", "num_layers", "n_layers")
_LARGEST = 1_000_000


def on_first_sight(ref: BackboneRef) -> Backbone:
    """The backbone that a manifest names, made with its facts if it is new; facts of a known one stay.

    Raises BadInput where the name is no model id.
    """
    name = ref.id
    namespace, slash, rest = name.partition("/")
    try:
        check_repo_name(namespace if slash else None, rest if slash else name)
    except IdError as error:
        raise BadInput(str(error)) from None
    known = backbones.by_name(name)
    if known is not None:
        return known
    return Backbone.objects.get_or_create(
        name=name,
        defaults={
            "model_type": _model_type(ref.model_type),
            "hidden_size": ref.hidden_size,
            "num_layers": ref.num_layers,
        },
    )[0]


def describe_repo(repo: Repo, content: Content) -> None:
    """Note what the model in `repo` is: its files are a better source than any manifest."""
    present = Backbone.objects.filter(repo=repo).first() or backbones.by_name(repo.full_name)
    if present is not None and present.repo_id not in (None, repo.pk):
        return  # the name is an alias of a backbone that has its repository
    config = _config(content)
    facts = {
        "repo": repo,
        "model_type": _model_type(config.get("model_type")),
        "hidden_size": _number(config, _HIDDEN_SIZE),
        "num_layers": _number(config, _NUM_LAYERS),
        "parameters": _parameters(content),
    }
    name = repo.full_name if present is None else present.name
    Backbone.objects.update_or_create(name=name, defaults=facts)


def link(repo: Repo, *, name: str, aliases: Iterable[str] = ()) -> Backbone:
    """Make `repo` the hub's own copy of the upstream model `name`. For operators: nobody else may say so."""
    with transaction.atomic():
        own = Backbone.objects.filter(repo=repo).first()
        target = backbones.by_name(name) or own or Backbone(name=name)
        if own is not None and own != target:
            own.cards.update(backbone=target)
            target.model_type, target.parameters = own.model_type, own.parameters
            target.hidden_size, target.num_layers = own.hidden_size, own.num_layers
            own.delete()
        names = {*target.aliases, *aliases, target.name, repo.full_name} - {name}
        target.name, target.aliases, target.repo = name, sorted(names), repo
        target.save()
    return target


def _config(content: Content) -> dict[str, Any]:
    """config.json, or nothing where it cannot be read: whoever loads the model will be told why."""
    data = content.read(MODEL_CONFIG, _CONFIG_LIMIT)
    if data is None or len(data) > _CONFIG_LIMIT:
        return {}
    try:
        values = strict_json.loads(data, max_items=_CONFIG_ITEMS)
    except strict_json.StrictJsonError:
        return {}
    return values if isinstance(values, dict) else {}


def _model_type(value: object) -> str:
    return value if isinstance(value, str) and _MODEL_TYPE.fullmatch(value) else ""


def _number(config: dict[str, Any], keys: tuple[str, ...]) -> int | None:
    for key in keys:
        value = config.get(key)
        if type(value) is int and 0 < value <= _LARGEST:
            return value
    return None


def _parameters(content: Content) -> int | None:
    """Elements of the one weights file; None where there are several files, or none that can be read."""
    blob = content.blob("model.safetensors")
    if blob is None:
        return None
    try:
        return sum(tensor.elements for tensor in content.header(blob).tensors)
    except HeaderError:
        return None
