"""From what a user calls an adapter to its folder on this machine."""

from dataclasses import dataclass
from pathlib import Path

from adapter_lib.hub.answers import BackboneChoice
from adapter_lib.hub.backbones import fetch_backbone
from adapter_lib.hub.loading import find_source
from adapter_lib.hub.settings import Hub, hub_settings
from adapter_lib.hub.sources import Request
from adapter_lib.spec.errors import LoadError
from adapter_lib.spec.ids import HUB_PREFIX, LocalPath, parse_id


@dataclass(frozen=True)
class Found:
    """An adapter's folder (or archive), what a hub said of it, and how to bring its backbone."""

    adapter: str
    folder: Path
    hub: Hub
    line: str = ""
    backbone: BackboneChoice | None = None
    is_offline: bool = False

    def fetch_backbone(self) -> Path:
        """The backbone's folder, from the hub or upstream. Raises HubError, LoadError."""
        return fetch_backbone(self.hub, self.backbone, self.adapter, is_offline=self.is_offline)


def find(
    adapter: str,
    *,
    revision: str | None = None,
    endpoint: str | None = None,
    token: str | None = None,
    allow_unvalidated: bool = False,
) -> Found:
    """A folder of any format as it is, anything else through the hubs. Raises AdapterLibError."""
    hub = hub_settings(endpoint, token)
    parsed = parse_id(adapter)
    if isinstance(parsed, LocalPath):
        folder = Path(parsed.path).expanduser()
        if not folder.exists():
            raise LoadError(
                f"There is no folder or archive {parsed.path!r}; to take an adapter from a hub, write "
                f"{HUB_PREFIX}NAMESPACE/NAME or {HUB_PREFIX}TASK/METHOD."
            )
        return Found(adapter, folder, hub)
    request = Request(adapter, revision, allow_unvalidated=allow_unvalidated)
    source = find_source(hub, request)
    return Found(adapter, source.folder, hub, source.line, source.backbone, source.is_offline)


def find_folder(adapter: str, *, endpoint: str | None, token: str | None, allow_unvalidated: bool) -> Path:
    """The folder alone."""
    return find(adapter, endpoint=endpoint, token=token, allow_unvalidated=allow_unvalidated).folder
