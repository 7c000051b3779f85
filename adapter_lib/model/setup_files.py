"""Saving and loading whole set-ups: a composition with everything that it needs."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from adapter_lib.formats import setups
from adapter_lib.formats.archives import unpacked
from adapter_lib.formats.atomic import whole_folder
from adapter_lib.formats.report import SaveReport, SetupReport
from adapter_lib.model.block_files import Folder
from adapter_lib.model.embedding_files import EmbeddingFiles
from adapter_lib.model.prepared import Composition
from adapter_lib.model.setup_loading import SetupLoading
from adapter_lib.model.vocabulary import DEFAULT
from adapter_lib.spec.composition import parse_composition
from adapter_lib.spec.errors import LoadError
from adapter_lib.spec.setup_manifest import SetupManifest


class SetupFiles(EmbeddingFiles):
    """From and to folders: everything at once."""

    def save_adapter_setup(
        self,
        folder: Folder,
        composition: Composition = None,
        *,
        head: str | Sequence[str] | None = "auto",
        backbone_id: str | None = None,
        backbone_revision: str | None = None,
    ) -> SaveReport:
        """Write a composition and its adapters, heads, fusions and routes to a folder, which appears whole.

        composition: by default the active one, with the heads that are active, the layers it skips and the
        active embeddings. head: the heads of another composition, as in `set_active_adapters`. A set-up that
        is in the folder already is replaced, other files at its top are kept.
        Raises LoadError if nothing is active, the files cannot be written, or the folder holds something
        else; UnknownNameError and CompositionError for a composition that could not act.
        """
        manifest = self._describe_setup(composition, head, backbone_id, backbone_revision)
        runtime, entry = self.adapter_runtime, manifest.embeddings
        with whole_folder(Path(folder), setups.OWN, "The set-up") as made:
            done = setups.write(runtime.injection, runtime.heads, made, manifest)
            if entry is not None:
                done.append(self._write_embeddings(made / entry.folder, entry.name, None, manifest.origin))
        tensors, size = sum(each.tensors for each in done), sum(each.size for each in done)
        return SaveReport(Path(folder), repr(manifest.composition), tensors, size)

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

        Every file is checked before anything is attached; whatever stops it later, the model is then as it
        was. The set-up's embeddings, if it has some, act from then on, even without set_active.

        set_active: let the composition act, with the heads that were active and the layers that were skipped.
        rename: what is to be called otherwise here: adapters (with their heads), heads, fusions and routes.
        strict: as for `load_adapter`. overwrite: replace what has the same names, else that is refused.
        Raises LoadError, ManifestError or HeaderError for files that do not fit, UnknownNameError for a name
        in `rename` that the set-up does not have, AttachError for names that exist.
        """
        with unpacked(Path(folder)) as content:
            loading = SetupLoading(self, content, setups.read_setup(content), rename or {})
            return loading.run(set_active=set_active, strict=strict, overwrite=overwrite)

    def save_all_adapters(self, folder: Folder) -> list[SaveReport]:
        """Write every adapter, with the head of its name, to a folder of its own below this one."""
        names = list(self.adapter_runtime.injection.configs)
        places = zip(names, setups.entries(".", names), strict=True)
        return [self.save_adapter(Path(folder) / entry.folder, name) for name, entry in places]

    def save_all_heads(self, folder: Folder) -> list[SaveReport]:
        """Write every head to a folder of its own below this one."""
        names = list(self.adapter_runtime.heads.names())
        places = zip(names, setups.entries(".", names), strict=True)
        return [self.save_head(Path(folder) / entry.folder, name) for name, entry in places]

    def save_all_adapter_fusions(self, folder: Folder) -> list[SaveReport]:
        """Write every fusion to a folder of its own below this one."""
        names = [name for kind, name in self.adapter_runtime.injection.blocks if kind == "fuse"]
        places = zip(names, setups.entries(".", names), strict=True)
        return [self.save_adapter_fusion(Path(folder) / entry.folder, name) for name, entry in places]

    def _describe_setup(
        self,
        composition: Composition,
        head: str | Sequence[str] | None,
        backbone_id: str | None,
        backbone_revision: str | None,
    ) -> SetupManifest:
        runtime = self.adapter_runtime
        block, heads, skipped = runtime.injection.block, runtime.active_heads, runtime.injection.skipped
        if composition is not None:
            block, skipped = parse_composition(composition), frozenset[int]()
            self._check_known(block.names())
            self._check_learned(block)
            heads = self._chosen_heads(head, block)
        if block is None:
            raise LoadError("No composition is active, so there is no set-up to save: name one.")
        return setups.describe(
            runtime.injection,
            runtime.heads,
            block,
            heads,
            None if self.active_embeddings == DEFAULT else self.active_embeddings,
            skipped,
            self._origin(backbone_id, backbone_revision),
        )
