"""`load`: from an id to a model that is ready to use."""

from dataclasses import replace
from typing import TYPE_CHECKING

from adapter_lib.hub.backbones import fetch_backbone, known_backbone
from adapter_lib.hub.settings import Hub, hub_settings
from adapter_lib.hub.sources import Request, Source, from_folder, from_hub, from_upstream
from adapter_lib.spec.ids import HubQuery, LocalPath, UpstreamName, parse_id

if TYPE_CHECKING:
    from transformers import PreTrainedModel


def load(
    adapter_id: str,
    model: "PreTrainedModel | None" = None,
    *,
    revision: str | None = None,
    strict: bool = False,
    endpoint: str | None = None,
    token: str | None = None,
    name: str | None = None,
    allow_unvalidated: bool = False,
) -> "PreTrainedModel":
    """Load an adapter with its head, active and in eval mode, and print in one line which one it is.

    adapter_id: `hub:NAMESPACE/NAME[@REVISION]`, a query such as `hub:sentiment/lora` of which the hub takes
        the best, `hub:sha256:HEX`, `hf:NAME` for the upstream hub, or a folder.
    model: put the adapter on this model, and ask only for adapters that are for it; without it the adapter's
        own backbone is loaded. `AutoTokenizer.from_pretrained(model.name_or_path)` gives its tokenizer.
    strict: refuse a query that fits more than one adapter.
    endpoint, token: the hub, by default those of ADAPTER_HUB_ENDPOINT and ADAPTER_HUB_TOKEN.
    name: what the adapter is called on the model, by default its repository's name.
    allow_unvalidated: also take what the hub has not validated.

    Raises AdapterLibError with one sentence for whatever is in the way. Files are checked against the hashes
    that the hub measured. Offline, an exact revision (`@` and a full sha) that was loaded before is enough.
    """
    hub = hub_settings(endpoint, token)
    request = Request(adapter_id, revision, strict=strict, allow_unvalidated=allow_unvalidated)
    source = find_source(hub, request, model)
    print(source.line)
    # Imported here because it loads torch, which an id that leads nowhere should not wait for.
    from adapter_lib.hub.attaching import attach, load_backbone

    if model is None:
        folder = fetch_backbone(hub, source.backbone, adapter_id, is_offline=source.is_offline)
        model = load_backbone(folder)
    # Names of adapters become names of modules, which have no dots.
    return attach(model, source.folder, name or source.name.replace(".", "_"))


def find_source(hub: Hub, request: Request, model: "PreTrainedModel | None" = None) -> Source:
    """An adapter's files on this machine, brought and checked. Raises AdapterLibError."""
    parsed = parse_id(request.adapter_id)
    if isinstance(parsed, LocalPath):
        return from_folder(parsed.path, request.revision)
    if isinstance(parsed, UpstreamName):
        return from_upstream(parsed, request.revision)
    if model is None:
        return from_hub(hub, request)
    known = known_backbone(model)
    if known is not None:
        return from_hub(hub, replace(request, backbone=known.id))
    names_backbone = isinstance(parsed, HubQuery) and parsed.backbone is not None
    return from_hub(hub, replace(request, is_blind=not names_backbone))
