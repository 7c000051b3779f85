"""Fusions and whole set-ups from and to folders, of our format or of AdapterHub's library."""

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from adapter_lib.formats import adapterhub
from adapter_lib.formats.archives import unpacked
from adapter_lib.formats.conversion import ADAPTERHUB, NATIVE
from adapter_lib.formats.report import LoadReport, SaveReport, SetupReport
from adapter_lib.formats.writing import write_exported
from adapter_lib.model.block_files import Folder, names_here
from adapter_lib.model.learned import block_name
from adapter_lib.model.prepared import Composition
from adapter_lib.model.setup_files import SetupFiles
from adapter_lib.spec.composition import Fuse, learned_in, parse_composition
from adapter_lib.spec.errors import AttachError, ConfigError, LoadError


class HubSetups(SetupFiles):
    """From and to folders of our format or AdapterHub's: fusions and whole set-ups."""

    def save_adapter_fusion(
        self,
        folder: Folder,
        name: str | Sequence[str] | Fuse,
        *,
        head: str | None = None,
        format: str = NATIVE,
    ) -> SaveReport:
        """Write what a Fuse has learned, and a head to go with it, to a folder.

        name: the fusion's, its adapters' or its block. The adapters are not written. format: "native" or
        "adapterhub", which takes no head. Raises UnknownNameError, ConfigError for another format, or
        LoadError if the files cannot be written or the format has no counterpart.
        """
        if format == NATIVE:
            return self._save_block(folder, "fuse", block_name(name), head)
        _check_format(format)
        if head is not None:
            raise LoadError("A fusion of AdapterHub's library has no head: save the head with an adapter.")
        key, injection = block_name(name), self.adapter_runtime.injection
        self._check_block("fuse", key)
        return write_exported(
            adapterhub.export_fusion(injection, key, self._backbone(None, None)), Path(folder), key
        )

    def load_adapter_fusion(
        self,
        folder: Folder,
        *,
        name: str | None = None,
        rename: Mapping[str, str] | None = None,
        strict: bool = True,
        overwrite: bool = False,
    ) -> LoadReport:
        """Add a fusion from a folder, and its head, for adapters that are on the model already.

        The files are ours or those of AdapterHub's library.
        name: by default the saved one, or where that is its adapters' names, these as they are called here.
        rename: what adapters are called here that had another name when the fusion was saved.
        strict: as for `load_adapter`. Raises LoadError, and then nothing has changed, if the files do not fit
        or an adapter is not there; AttachError for a name that exists (without `overwrite`).
        """
        given, named = Path(folder), rename or {}
        if adapterhub.is_fusion(given):
            return self._load_hub_fusion(given, name, named, overwrite=overwrite)
        return self._load_block(given, "fuse", name, named, strict=strict, overwrite=overwrite)

    def load_adapter_setup(
        self,
        folder: Folder,
        *,
        set_active: bool = True,
        rename: Mapping[str, str] | None = None,
        strict: bool = True,
        overwrite: bool = False,
    ) -> SetupReport:
        """Attach everything of a set-up, from its folder or a zip archive, and let it act: all or nothing.

        The files are ours or those of AdapterHub's library, which has no `rename` and no `overwrite` here.
        Every file is checked before anything is attached; whatever stops it later, the model is then as it
        was. The set-up's embeddings, if it has some, act from then on, even without set_active.

        set_active: let the composition act, with the heads that were active and the layers that were skipped.
        rename: what is to be called otherwise here: adapters (with their heads), heads, fusions and routes.
        strict: as for `load_adapter`. overwrite: replace what has the same names, else that is refused.
        Raises LoadError, ManifestError or HeaderError for files that do not fit, UnknownNameError for a name
        in `rename` that the set-up does not have, AttachError for names that exist.
        """
        with unpacked(Path(folder)) as content:
            if adapterhub.is_setup(content):
                if rename or overwrite:
                    raise LoadError("A set-up of AdapterHub's library is loaded under its own, free names.")
                return self._load_hub_setup(adapterhub.read_setup(content), set_active, strict=strict)
            return self._load_native_setup(
                content, rename or {}, set_active=set_active, strict=strict, overwrite=overwrite
            )

    def save_adapter_setup(
        self,
        folder: Folder,
        composition: Composition = None,
        *,
        head: str | Sequence[str] | None = "auto",
        backbone_id: str | None = None,
        backbone_revision: str | None = None,
        format: str = NATIVE,
    ) -> SaveReport:
        """Write a composition and its adapters, heads, fusions and routes to a folder, which appears whole.

        composition: by default the active one, with the heads that are active, the layers it skips and the
        active embeddings. head: the heads of another composition, as in `set_active_adapters`. A set-up that
        is in the folder already is replaced, other files at its top are kept.
        backbone_id, backbone_revision: as for `save_adapter`.
        format: "native", or "adapterhub", which keeps the adapters, their heads and the fusions.
        Raises LoadError if nothing is active, the files cannot be written, or the folder holds something
        else; UnknownNameError and CompositionError for a composition that could not act.
        """
        if format == NATIVE:
            return self._save_native_setup(Path(folder), composition, head, backbone_id, backbone_revision)
        _check_format(format)
        return self._save_hub_setup(Path(folder), composition, backbone_id)

    def _load_hub_fusion(
        self, folder: Path, name: str | None, rename: Mapping[str, str], *, overwrite: bool
    ) -> LoadReport:
        injection = self.adapter_runtime.injection
        found = adapterhub.read_fusion(folder, injection.atlas, self._saved_configs(rename))
        key, adapters = names_here(found.name, found.adapters, name, rename)
        if ("fuse", key) in injection.blocks:
            if not overwrite:
                raise AttachError(f"There is a fuse {key!r} already; overwrite=True replaces it.")
            self._delete_learned("fuse", key)
        report = adapterhub.attach_fusion(found, injection, key, adapters)
        self._note_keys()
        return report

    def _load_hub_setup(self, found: "adapterhub.HubSetup", set_active: bool, *, strict: bool) -> SetupReport:
        """All or nothing: what was attached before something failed goes again."""
        reports: list[LoadReport] = []
        with ExitStack() as undo:
            for name, folder in found.adapters.items():
                report = self.load_adapter(folder, name=name, strict=strict)
                reports.append(replace(report, name=f"adapters/{name}"))
                undo.callback(self._drop_loaded, name)
            for name, folder in found.fusions.items():
                report = self._load_hub_fusion(folder, name, {}, overwrite=False)
                reports.append(replace(report, name=f"fuse/{name}"))
                undo.callback(self._delete_learned, "fuse", name)
            if set_active:
                self.set_active_adapters(found.composition)
            undo.pop_all()
        return SetupReport(found.composition, tuple(reports))

    def _drop_loaded(self, name: str) -> None:
        self.delete_adapter(name)
        if name in self.adapter_runtime.heads.names():
            self.delete_head(name)

    def _save_hub_setup(self, folder: Path, composition: Composition, backbone_id: str | None) -> SaveReport:
        injection = self.adapter_runtime.injection
        block = injection.block if composition is None else parse_composition(composition)
        if block is None:
            raise LoadError("No composition is active, so there is no set-up to save: name one.")
        self._check_known(block.names())
        exported = adapterhub.export_setup(block, injection.configs)
        done = [
            self.save_adapter(folder / name, name, backbone_id=backbone_id, format=ADAPTERHUB)
            for name in block.names()
        ]
        done += [
            self.save_adapter_fusion(folder / node.key(), node.key(), format=ADAPTERHUB)
            for node in learned_in(block)
        ]
        write_exported(exported, folder, repr(block))
        return SaveReport(
            folder,
            repr(block),
            tensors=sum(each.tensors for each in done),
            size=sum(each.size for each in done),
            format=ADAPTERHUB,
            set_aside={f"{each.name}/{key}": why for each in done for key, why in each.set_aside.items()},
            notes=tuple(dict.fromkeys(note for each in done for note in each.notes)),
        )


def _check_format(format: str) -> None:
    if format != ADAPTERHUB:
        raise ConfigError(f"format must be {NATIVE} or {ADAPTERHUB} here, not {format!r}.")
