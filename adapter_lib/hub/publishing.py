"""`publish`: from a model or a folder to a validated adapter on a hub."""

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from huggingface_hub import CommitOperationAdd, HfApi

from adapter_lib.hub.card_content import Details, as_languages, card_content
from adapter_lib.hub.errors import HubError
from adapter_lib.hub.following import find_run, follow, require_published
from adapter_lib.hub.settings import TOKEN_VARIABLE, Hub, hub_settings
from adapter_lib.hub.sources import read_manifest
from adapter_lib.hub.transfer import sentences
from adapter_lib.spec.card import CARD_FILE, render_card
from adapter_lib.spec.errors import LoadError
from adapter_lib.spec.ids import IdError, check_repo_name, split_repo_id
from adapter_lib.spec.manifest import CONFIG_FILE, WEIGHTS_FILE, Manifest
from adapter_lib.spec.safetensors_header import read_header

if TYPE_CHECKING:
    from transformers import PreTrainedModel

DEFAULT_TIMEOUT_SECONDS = 1800.0


@dataclass(frozen=True)
class Publication:
    """An adapter on a hub. `revision` is its commit's sha, `state` is `published` if it was waited for."""

    repo_id: str
    revision: str
    run_id: str
    state: str
    url: str
    snippet: str


def publish(
    model_or_folder: "PreTrainedModel | str | Path",
    repo_id: str,
    *,
    task: str,
    name: str | None = None,
    dataset: str | None = None,
    language: str | Sequence[str] = "en",
    license: str = "apache-2.0",
    private: bool = False,
    metrics: Mapping[str, float] | None = None,
    summary: str | None = None,
    backbone: str | None = None,
    token: str | None = None,
    endpoint: str | None = None,
    wait: bool = True,
    timeout: float = DEFAULT_TIMEOUT_SECONDS,
) -> Publication:
    """Upload an adapter with a card, and wait until the hub has validated and published it.

    model_or_folder: a model with adapters (`name` says which, by default the active one), or a folder as
        `save_adapter` writes it.
    repo_id: `NAMESPACE/NAME`; it is made if it does not exist.
    task: one of the hub's tasks, such as `sentiment`. metrics: what you measured, such as {"accuracy": 0.91};
        the hub measures its own beside it. summary: one sentence about it. dataset: what it was trained on.
    language: BCP-47, one or several. license: the SPDX identifier of the adapter's.
    private: if the repository is made, only its owners see it.
    backbone: the backbone's upstream id, needed only for a model that was loaded from a plain folder.
    wait: follow the validation, at most `timeout` seconds.

    Publishing the same bytes again makes no new version. Raises PublishError with the hub's findings if the
    adapter does not pass, AdapterLibError for whatever else is in the way.
    """
    hub = hub_settings(endpoint, token)
    split_repo_id(repo_id)
    if hub.token is None:
        raise HubError(
            f"Publishing needs a token with the scope write: make one at {hub.endpoint}/tokens and give it "
            f"as token= or in {TOKEN_VARIABLE}."
        )
    details = Details(task, license, dataset, as_languages(language), metrics, summary)
    with tempfile.TemporaryDirectory(prefix="publish-") as workshop:
        folder = _folder(model_or_folder, name, backbone, Path(workshop))
        manifest = _checked(folder, backbone)
        content = card_content(hub, repo_id, manifest, details)
        files: dict[str, bytes | Path] = {
            CARD_FILE: render_card(content).encode(),
            CONFIG_FILE: manifest.to_json().encode(),
            WEIGHTS_FILE: folder / WEIGHTS_FILE,
        }
        revision = _upload(hub, repo_id, files, private=private, title=f"Publish {content.method} for {task}")
    run = follow(hub, repo_id, revision, timeout) if wait else find_run(hub, repo_id, revision)
    if run.is_finished:
        require_published(hub, repo_id, run)
    return Publication(repo_id, revision, run.id, run.state, f"{hub.endpoint}/{repo_id}", content.snippet)


def _folder(
    model_or_folder: "PreTrainedModel | str | Path", name: str | None, backbone: str | None, workshop: Path
) -> Path:
    if isinstance(model_or_folder, str | Path):
        if name is not None:
            raise LoadError("name= chooses an adapter of a model; a folder holds only one.")
        return Path(model_or_folder).expanduser()
    # Imported here because it loads torch, which publishing a folder does not need.
    from adapter_lib.hub.saving import save

    return save(model_or_folder, name, backbone, workshop)


def _checked(folder: Path, backbone: str | None) -> Manifest:
    """The manifest with a backbone that others can find. Raises LoadError, ManifestError or HeaderError."""
    manifest = read_manifest(folder)
    read_header(folder / WEIGHTS_FILE)
    if backbone is not None:
        manifest = replace(manifest, backbone=replace(manifest.backbone, id=backbone))
    namespace, slash, model = manifest.backbone.id.partition("/")
    try:
        check_repo_name(namespace if slash else None, model if slash else namespace)
    except IdError:
        raise LoadError(
            "The adapter does not say by an id which backbone it is for: give it as "
            'backbone="NAMESPACE/NAME", the id that others load it by.'
        ) from None
    return manifest


def _upload(hub: Hub, repo_id: str, files: Mapping[str, bytes | Path], *, private: bool, title: str) -> str:
    """One commit with all files; the sha of the commit that has them. Raises HubError."""
    api = HfApi(endpoint=hub.endpoint, token=hub.token, library_name="adapter_lib")
    operations = [
        CommitOperationAdd(path_in_repo=path, path_or_fileobj=content) for path, content in files.items()
    ]
    with sentences(hub, repo_id):
        api.create_repo(repo_id, private=private, exist_ok=True)
        return str(api.create_commit(repo_id, operations, commit_message=title).oid)
