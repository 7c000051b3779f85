"""Saving and loading whole set-ups: a composition with everything that it needs."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from adapter_lib.formats import setups
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
    """From and to folders in our own format: everything at once."""

    def _save_native_setup(
        self,
        folder: Path,
        composition: Composition,
        head: str | Sequence[str] | None,
        backbone_id: str | None,
        backbone_revision: str | None,
    ) -> SaveReport:
        """As `save_adapter_setup` tells."""
        manifest = self._describe_setup(composition, head, backbone_id, backbone_revision)
        runtime, entry = self.adapter_runtime, manifest.embeddings
        with whole_folder(folder, setups.OWN, "The set-up") as made:
            done = setups.write(runtime.injection, runtime.heads, made, manifest)
            if entry is not None:
                done.append(self._write_embeddings(made / entry.folder, entry.name, None, manifest.origin))
        tensors, size = sum(each.tensors for each in done), sum(each.size for each in done)
        return SaveReport(folder, repr(manifest.composition), tensors, size)

    def _load_native_setup(
        self, folder: Path, rename: Mapping[str, str], *, set_active: bool, strict: bool, overwrite: bool
    ) -> SetupReport:
        """As `load_adapter_setup` tells."""
        loading = SetupLoading(self, folder, setups.read_setup(folder), rename)
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
        return [self._save_block(Path(folder) / entry.folder, "fuse", name, None) for name, entry in places]

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
