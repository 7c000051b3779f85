"""Saving and loading embeddings with their tokenizer."""

from pathlib import Path
from typing import Any

from adapter_lib.formats import embeddings
from adapter_lib.formats.report import LoadReport, SaveReport
from adapter_lib.model.block_files import BlockFiles, Folder
from adapter_lib.model.embeddings import Embeddings
from adapter_lib.model.vocabulary import Vocabulary, fresh, slots_of
from adapter_lib.spec.composition import check_adapter_name
from adapter_lib.spec.documents import Origin
from adapter_lib.spec.errors import AttachError


class EmbeddingFiles(Embeddings, BlockFiles):
    """From and to folders: vocabularies."""

    def save_embeddings(self, folder: Folder, name: str, tokenizer: Any = None) -> SaveReport:
        """Write embeddings, and their tokenizer, to a folder, which appears whole.

        tokenizer: by default the one that they were added or loaded with.
        Raises UnknownNameError, AttachError for a model without token embeddings, or LoadError if the files
        cannot be written.
        """
        return self._write_embeddings(Path(folder), name, tokenizer, self._origin())

    def load_embeddings(self, folder: Folder, name: str | None = None, *, strict: bool = True) -> Any:
        """Add embeddings from a folder and let them act; returns their tokenizer, None if they have none.

        name: by default the saved one. strict: raise LoadError for a backbone with other weights and for
        anything missing, unexpected or of a wrong shape; else what is missing starts as in `add_embeddings`.
        A model without a head over tokens takes embeddings that were saved with one.
        Raises LoadError, and then nothing has changed; AttachError as `add_embeddings` does.
        """
        found = self._inspect_embeddings(Path(folder), strict=strict)
        tokenizer = embeddings.read_tokenizer(found)
        self._attach_embeddings(found, found.manifest.name if name is None else name, tokenizer)
        return tokenizer

    def _inspect_embeddings(self, folder: Path, *, strict: bool) -> embeddings.InspectedEmbeddings:
        atlas = self.adapter_runtime.injection.atlas
        widths = {role: tuple(slot.tensor.shape) for role, slot in slots_of(self).items()}
        return embeddings.inspect(atlas, folder, widths, strict=strict)

    def _attach_embeddings(
        self, found: embeddings.InspectedEmbeddings, name: str, tokenizer: Any
    ) -> LoadReport:
        check_adapter_name(name)
        if name in self.loaded_embeddings:
            raise AttachError(f"There are embeddings {name!r} already: delete_embeddings() first.")
        slots, manifest = slots_of(self), found.manifest
        self._check_exchangeable(slots)
        self._check_padding(manifest.padding)
        added: Vocabulary = fresh(self, slots, manifest.tokens, manifest.padding, tokenizer)
        found.weights.fill(added.tensors())
        self._hold_vocabulary(name, added)
        return found.weights.report(name)

    def _write_embeddings(self, folder: Path, name: str, tokenizer: Any, origin: Origin) -> SaveReport:
        vocabulary = self._vocabularies(slots_of(self)).get(name)
        used = vocabulary.tokenizer if tokenizer is None else tokenizer
        return embeddings.save(folder, name, vocabulary.tensors(), vocabulary.padding, used, origin)
