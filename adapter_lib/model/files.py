"""Saving and loading adapters."""

import os
from pathlib import Path
from typing import Any

from adapter_lib.families import model_type_of
from adapter_lib.formats import native
from adapter_lib.formats.archives import unpacked
from adapter_lib.formats.conversion import NATIVE, attach_imported, check_imported, exportable
from adapter_lib.formats.opening import is_foreign, read_foreign, write_foreign
from adapter_lib.formats.report import LoadReport, SaveReport
from adapter_lib.model.head_methods import HeadMethods
from adapter_lib.model.life import Life
from adapter_lib.points import like_of
from adapter_lib.spec.errors import AttachError
from adapter_lib.spec.manifest import BackboneRef


class Files(Life, HeadMethods):
    """From and to folders."""

    def save_adapter(
        self,
        folder: str | os.PathLike[str],
        name: str,
        *,
        backbone_id: str | None = None,
        backbone_revision: str | None = None,
        format: str = NATIVE,
    ) -> SaveReport:
        """Write an adapter, and the head of its name, to a folder.

        backbone_id and backbone_revision default to where the model was loaded from, if that was a hub.
        format: "native", or "adapterhub" or "peft" for the libraries of these; the report says what has no
        counterpart there. Raises UnknownNameError, ConfigError for another format, or LoadError if the files
        cannot be written or the format has no counterpart for the method.
        """
        self._check_known([name])
        runtime = self.adapter_runtime
        head = runtime.heads.get(name) if name in runtime.heads.names() else None
        backbone = self._backbone(backbone_id, backbone_revision)
        if format == NATIVE:
            return native.save(runtime.injection, head, Path(folder), name, backbone)
        return write_foreign(exportable(runtime.injection, head, name, backbone), Path(folder), format)

    def load_adapter(
        self,
        folder: str | os.PathLike[str],
        *,
        name: str | None = None,
        strict: bool = True,
        overwrite: bool = False,
    ) -> LoadReport:
        """Attach an adapter from a folder or a zip archive, and its head, inactive at first.

        The files are ours, or those of AdapterHub's library or PEFT: the report's `format` says which, and
        counts what became of them. What another library computes beside its papers is repeated where the
        config has a switch for it. name: defaults to the folder's.
        strict: raise LoadError for any tensor missing, unexpected or of a wrong shape, and for a backbone
        with other weights; else the report counts them. An adapter for another architecture always raises.
        """
        path = Path(folder)
        given = name if name is not None else path.stem if path.is_file() else path.name
        with unpacked(path) as content:
            report = self._load(content, given, strict=strict, overwrite=overwrite)
        self._note_keys()
        return report

    def _load(self, folder: Path, name: str, *, strict: bool, overwrite: bool) -> LoadReport:
        runtime = self.adapter_runtime
        injection, heads = runtime.injection, runtime.heads
        if is_foreign(folder):
            imported = read_foreign(folder, injection.atlas)
            problems = check_imported(imported, injection.atlas, folder, strict=strict)
            self._clear(name, overwrite=overwrite)
            return attach_imported(imported, injection, heads, name, like_of(self), problems)
        found = native.inspect(injection.atlas, folder, strict=strict)
        self._clear(name, overwrite=overwrite)
        return native.attach(found, injection, heads, name, like_of(self))

    def _clear(self, name: str, *, overwrite: bool) -> None:
        """Make room for an adapter and its head. Raises AttachError for names that exist."""
        self._make_room(name, overwrite=overwrite)
        self._clear_head(name, overwrite=overwrite)

    def _clear_head(self, name: str, *, overwrite: bool) -> None:
        if name in self.adapter_runtime.heads.names():
            if not overwrite:
                raise AttachError(f"There is a head {name!r} already; overwrite=True replaces it.")
            self.delete_head(name)

    def _backbone(self, given_id: str | None, given_revision: str | None) -> BackboneRef:
        config: Any = getattr(self, "config", None)
        atlas = self.adapter_runtime.injection.atlas
        source = getattr(config, "name_or_path", "") if given_id is None else given_id
        is_hub_id = given_id is not None or not Path(source).exists()
        return BackboneRef(
            id=source if is_hub_id else "",
            revision=given_revision or (getattr(config, "_commit_hash", None) if given_id is None else None),
            fingerprint=native.fingerprint(atlas),
            model_type=model_type_of(atlas.resolved.base) or atlas.resolved.family.name,
            hidden_size=atlas.resolved.hidden_size,
            num_layers=atlas.num_layers,
        )
