"""Where an adapter's files come from: our hub, the upstream hub or a folder."""

from dataclasses import dataclass
from pathlib import Path

from adapter_lib.hub import records
from adapter_lib.hub.answers import PUBLISHED, QUERY, BackboneChoice, Resolution, read, resolution
from adapter_lib.hub.client import get_json
from adapter_lib.hub.errors import HubUnreachableError
from adapter_lib.hub.settings import Hub
from adapter_lib.hub.transfer import ADAPTER_FILES, fetch, verify
from adapter_lib.spec.errors import LoadError
from adapter_lib.spec.ids import HUB_PREFIX, HubName, UpstreamName, is_commit_sha, parse_id
from adapter_lib.spec.manifest import CONFIG_FILE, WEIGHTS_FILE, Manifest, parse_manifest


@dataclass(frozen=True)
class Source:
    """An adapter on this machine: its folder, what it is called, its backbone, and what to tell the user.

    `is_offline`: the hub did not answer, so nothing more is asked of it.
    """

    folder: Path
    name: str
    backbone: BackboneChoice | None
    line: str
    is_offline: bool = False


@dataclass(frozen=True)
class Request:
    """What the user wants of a hub, besides the id's own words.

    `is_blind`: the adapter is for a model of which it is not known what it is.
    """

    adapter_id: str
    revision: str | None = None
    backbone: str | None = None
    is_blind: bool = False
    strict: bool = False
    allow_unvalidated: bool = False


def from_hub(hub: Hub, request: Request) -> Source:
    """Let the hub choose, check the choice, and bring its files. Raises HubError or LoadError."""
    try:
        answer = _ask(hub, request)
        is_offline = False
    except HubUnreachableError as error:
        answer = _recall(hub, request, error)
        is_offline = True
    _check_choice(hub, request, answer)
    choice = answer.choice
    files = [file for file in answer.files if file.path in ADAPTER_FILES]
    if CONFIG_FILE not in {file.path for file in files}:
        raise LoadError(f"{choice.label} has no {CONFIG_FILE}: it is not an adapter.")
    folder = fetch(hub, choice.id, choice.revision, [file.path for file in files], offline=is_offline)
    verify(folder, files)
    read_manifest(folder)
    if not is_offline:
        records.remember(hub, answer)
    return Source(folder, choice.id.partition("/")[2], choice.backbone, _line(request, answer), is_offline)


def from_upstream(name: UpstreamName, revision: str | None) -> Source:
    """Bring a native adapter from the upstream model hub. Raises HubError or LoadError."""
    if revision and name.revision and revision != name.revision:
        raise LoadError(f"The id asks for {name.revision!r} and revision= for {revision!r}; give only one.")
    wanted = revision or name.revision
    folder = fetch(None, name.repo, wanted, ADAPTER_FILES)
    line = f"hf:{name.repo} at {folder.name[:12]}"
    return Source(folder, name.repo.rpartition("/")[2], _declared_backbone(folder), line)


def from_folder(path: str, revision: str | None) -> Source:
    """A folder as `save_adapter` writes it. Raises LoadError."""
    folder = Path(path).expanduser()
    if not folder.is_dir():
        raise LoadError(
            f"There is no folder {path!r}; to load from a hub, write {HUB_PREFIX}NAMESPACE/NAME "
            f"or {HUB_PREFIX}TASK/METHOD."
        )
    if revision:
        raise LoadError(f"revision= is for hubs; {path!r} is a folder.")
    return Source(folder, folder.resolve().name, _declared_backbone(folder), f"{folder}")


def read_manifest(folder: Path) -> Manifest:
    """The manifest of a folder with both files. Raises LoadError, or ManifestError for a foreign format."""
    try:
        with (folder / CONFIG_FILE).open("rb") as stream:
            manifest = parse_manifest(stream.read(2 * 1024**2))
    except OSError:
        raise LoadError(f"{folder} has no {CONFIG_FILE} that can be read: it is not an adapter.") from None
    if not (folder / WEIGHTS_FILE).is_file():
        raise LoadError(f"{folder} has no {WEIGHTS_FILE}: the adapter's weights are missing.")
    return manifest


def _declared_backbone(folder: Path) -> BackboneChoice | None:
    backbone = read_manifest(folder).backbone
    return BackboneChoice(backbone.id, backbone.revision, None) if backbone.id else None


def _ask(hub: Hub, request: Request) -> Resolution:
    answer = get_json(
        hub,
        "resolve",
        {
            "id": request.adapter_id.strip().removeprefix(HUB_PREFIX),
            "backbone": request.backbone or "",
            "revision": request.revision or "",
        },
    )
    return read(hub, answer, resolution)


def _recall(hub: Hub, request: Request, reason: HubUnreachableError) -> Resolution:
    """What the hub said earlier, if the id is exact; else a sentence about the offline way."""
    parsed = parse_id(request.adapter_id)
    revision = request.revision or (parsed.revision if isinstance(parsed, HubName) else None)
    if not isinstance(parsed, HubName) or revision is None or not is_commit_sha(revision):
        raise HubUnreachableError(
            f"{reason} Without a hub only an exact revision can be loaded: {HUB_PREFIX}NAMESPACE/NAME@SHA "
            "with all 40 digits, of an adapter that was loaded before."
        ) from None
    found = records.recall(hub, parsed.repo_id, revision)
    if found is None:
        raise HubUnreachableError(
            f"{reason} {parsed.repo_id} at {revision[:12]} was never loaded here."
        ) from None
    return found


def _check_choice(hub: Hub, request: Request, answer: Resolution) -> None:
    choice = answer.choice
    if request.strict and answer.total > 1:
        others = ", ".join(f"{HUB_PREFIX}{other.id}" for other in (choice, *answer.candidates))
        raise LoadError(
            f"{request.adapter_id} fits {answer.total} adapters, and strict=True takes none of several: "
            f"{others}."
        )
    if request.is_blind and answer.kind == QUERY:
        raise LoadError(
            f"{request.adapter_id} is a query, and it is not known which backbone model= is: "
            "add ?backbone=ID to it."
        )
    if choice.state != PUBLISHED and not request.allow_unvalidated:
        raise LoadError(
            f"{choice.label} is {choice.state}, not published: see {hub.endpoint}/{choice.id}, "
            "or load it all the same with allow_unvalidated=True."
        )


def _line(request: Request, answer: Resolution) -> str:
    others = ", ".join(other.id for other in answer.candidates[:3])
    more = f"; also fits: {others}" if others else ""
    rest = f" and {answer.total - 4} more" if answer.total > 4 else ""
    return f"{request.adapter_id} → {answer.choice.label} ({answer.choice.reason}{more}{rest})"
