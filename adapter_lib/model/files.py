"""Saving and loading adapters."""

import os
from pathlib import Path
from typing import Any

from adapter_lib.families import model_type_of
from adapter_lib.formats import native
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
    ) -> SaveReport:
        """Write an adapter, and the head of its name, to a folder in the native format.

        backbone_id and backbone_revision default to where the model was loaded from, if that was a hub.
        Raises UnknownNameError, or LoadError if the files cannot be written.
        """
        self._check_known([name])
        runtime = self.adapter_runtime
        head = runtime.heads.get(name) if name in runtime.heads.names() else None
        backbone = self._backbone(backbone_id, backbone_revision)
        return native.save(runtime.injection, head, Path(folder), name, backbone)

    def load_adapter(
        self,
        folder: str | os.PathLike[str],
        *,
        name: str | None = None,
        strict: bool = True,
        overwrite: bool = False,
    ) -> LoadReport:
        """Attach an adapter from a folder, and its head, inactive at first.

        name: defaults to the folder's.
        strict: raise LoadError for any tensor missing, unexpected or of a wrong shape, and for a backbone
        with other weights; else the report counts them. An adapter for another architecture always raises.
        """
        path = Path(folder)
        name = path.name if name is None else name
        runtime = self.adapter_runtime
        found = native.inspect(runtime.injection.atlas, path, strict=strict)
        self._make_room(name, overwrite=overwrite)
        if name in runtime.heads.names():
            if not overwrite:
                raise AttachError(f"There is a head {name!r} already; overwrite=True replaces it.")
            self.delete_head(name)
        report = native.attach(found, runtime.injection, runtime.heads, name, like_of(self))
        self._note_keys()
        return report

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
