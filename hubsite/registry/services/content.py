"""Small looks into the files of a tree that is about to be a commit."""

from dataclasses import dataclass

from adapter_lib.spec.safetensors_header import Header, Limits, read_header_from
from hubsite.registry.models import Blob
from hubsite.registry.services.operations import Tree
from hubsite.storage.current import blob_store

# A commit waits for this look, so it is smaller than what validation takes on.
_HEADER_LIMITS = Limits(header_bytes=2 * 1024**2, tensors=20_000)


@dataclass(frozen=True)
class Content:
    """The files at the root of a tree that say what the repository is."""

    tree: Tree

    def read(self, path: str, limit: int) -> bytes | None:
        """At most the first `limit` bytes and one more; None where there is no such file."""
        file = self.tree.get(path)
        if file is None:
            return None
        return b"".join(blob_store().open_range(file.blob_id, 0, limit + 1))

    def blob(self, path: str) -> Blob | None:
        """The blob at `path`, or None."""
        file = self.tree.get(path)
        return None if file is None else Blob.objects.get(pk=file.blob_id)

    def header(self, blob: Blob) -> Header:
        """The header of a safetensors file. Raises HeaderError, also for one too large to be read here."""
        with blob_store().open(blob.sha256) as stream:
            return read_header_from(stream, blob.size, _HEADER_LIMITS)
