"""Saving and loading fusions, routes and heads that belong to no adapter."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from adapter_lib.formats import blocks, head_files, native
from adapter_lib.formats.report import LoadReport, SaveReport
from adapter_lib.model.files import Files
from adapter_lib.model.learned import LearnedBlocks, block_name
from adapter_lib.points import like_of
from adapter_lib.spec.composition import Route, check_adapter_name
from adapter_lib.spec.configs import MethodConfig
from adapter_lib.spec.documents import Origin
from adapter_lib.spec.errors import AttachError

Folder = str | os.PathLike[str]


class BlockFiles(Files, LearnedBlocks):
    """From and to folders: routes, heads alone, and in our own format what a Fuse has learned."""

    def save_route(
        self, folder: Folder, name: str | Sequence[str] | Route, *, head: str | None = None
    ) -> SaveReport:
        """Write what a Route has learned; otherwise as `save_adapter_fusion`."""
        return self._save_block(folder, "route", block_name(name), head)

    def load_route(
        self,
        folder: Folder,
        *,
        name: str | None = None,
        rename: Mapping[str, str] | None = None,
        strict: bool = True,
        overwrite: bool = False,
    ) -> LoadReport:
        """Add a route from a folder; otherwise as `load_adapter_fusion`."""
        return self._load_block(Path(folder), "route", name, rename or {}, strict=strict, overwrite=overwrite)

    def save_head(self, folder: Folder, name: str) -> SaveReport:
        """Write a head alone to a folder. Raises UnknownNameError, or LoadError if it cannot be written."""
        return head_files.save(self.adapter_runtime.heads, Path(folder), name, self._origin())

    def load_head(
        self, folder: Folder, *, name: str | None = None, strict: bool = True, overwrite: bool = False
    ) -> LoadReport:
        """Add a head from a folder of `save_head`.

        strict: as for `load_adapter`. Raises LoadError, or AttachError for a name that exists.
        """
        runtime = self.adapter_runtime
        found = head_files.inspect(runtime.injection.atlas, Path(folder), strict=strict)
        name = check_adapter_name(found.manifest.name if name is None else name)
        self._clear_head(name, overwrite=overwrite)
        report = head_files.attach(found, runtime.heads, name, like_of(self))
        self._note_keys()
        return report

    def _save_block(self, folder: Folder, kind: str, name: str, head: str | None) -> SaveReport:
        runtime = self.adapter_runtime
        self._check_block(kind, name)
        return blocks.save(runtime.injection, runtime.heads, Path(folder), (kind, name), self._origin(), head)

    def _load_block(
        self,
        folder: Path,
        kind: str,
        name: str | None,
        rename: Mapping[str, str],
        *,
        strict: bool,
        overwrite: bool,
    ) -> LoadReport:
        runtime = self.adapter_runtime
        injection, heads = runtime.injection, runtime.heads
        found = blocks.inspect(injection.atlas, folder, self._saved_configs(rename), kind, strict=strict)
        manifest = found.manifest
        name, adapters = names_here(manifest.name, manifest.adapters, name, rename)
        if (kind, name) in injection.blocks and not overwrite:
            raise AttachError(f"There is a {kind} {name!r} already; overwrite=True replaces it.")
        if manifest.head_name is not None:
            self._clear_head(manifest.head_name, overwrite=overwrite)
        if (kind, name) in injection.blocks:
            self._delete_learned(kind, name)
        report = blocks.attach(found, injection, heads, name, adapters, like_of(self))
        self._note_keys()
        return report

    def _saved_configs(self, rename: Mapping[str, str]) -> dict[str, MethodConfig]:
        """The configs of the adapters here, by the names that they were saved under."""
        before = {here: saved for saved, here in rename.items()}
        configs = self.adapter_runtime.injection.configs
        return {before.get(here, here): config for here, config in configs.items()}

    def _origin(self, backbone_id: str | None = None, backbone_revision: str | None = None) -> Origin:
        backbone = self._backbone(backbone_id, backbone_revision)
        return native.origin_of(self.adapter_runtime.injection.atlas, backbone)


def names_here(
    saved: str, adapters: Sequence[str], name: str | None, rename: Mapping[str, str]
) -> tuple[str, tuple[str, ...]]:
    """What a saved block and its adapters are called here.

    name: what was asked for; None keeps the saved one, or where that is its adapters' names, these as they
    are called here.
    """
    here = tuple(rename.get(each, each) for each in adapters)
    default = ",".join(here) if saved == ",".join(adapters) else saved
    return check_adapter_name(default if name is None else name), here
