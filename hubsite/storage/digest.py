"""One pass over a stream: copy it, measure it, hash it under both names."""

import hashlib
from collections.abc import Iterator
from typing import BinaryIO

from hubsite.core.errors import TooLarge
from hubsite.storage.protocol import CHUNK, HashMismatch, SizeMismatch, StoredBlob


def pieces(stream: BinaryIO) -> Iterator[bytes]:
    """The rest of `stream`, at most CHUNK bytes at a time."""
    while piece := stream.read(CHUNK):
        yield piece


def copy_verified(
    stream: BinaryIO, target: BinaryIO, *, size: int | None, sha256: str | None, limit: int
) -> StoredBlob:
    """Copy `stream` into the readable, seekable `target` and check it against what was announced.

    Raises TooLarge, SizeMismatch or HashMismatch; `target` then holds what had come so far.
    """
    if size is not None and size > limit:
        raise TooLarge(_too_large(limit))
    digest = hashlib.sha256()
    copied = 0
    for piece in pieces(stream):
        copied += len(piece)
        if copied > limit:
            raise TooLarge(_too_large(limit))
        if size is not None and copied > size:
            raise SizeMismatch(f"More than the announced {size} bytes came.")
        digest.update(piece)
        target.write(piece)
    if size is not None and copied != size:
        raise SizeMismatch(f"{size} bytes were announced and {copied} came; send the file again.")
    if sha256 is not None and digest.hexdigest() != sha256:
        raise HashMismatch(
            f"The bytes have SHA-256 {digest.hexdigest()}, announced was {sha256}; send the file again."
        )
    return StoredBlob(digest.hexdigest(), _git_sha1(target, copied), copied)


def _git_sha1(target: BinaryIO, size: int) -> str:
    """git's name for the content: its hash starts with the length, which is known only now."""
    digest = hashlib.sha1(f"blob {size}\0".encode(), usedforsecurity=False)
    target.seek(0)
    for piece in pieces(target):
        digest.update(piece)
    return digest.hexdigest()


def _too_large(limit: int) -> str:
    return f"The file is larger than the {limit} bytes that this hub takes for one file."
