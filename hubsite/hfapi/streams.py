"""A request's body as the file object that the blob store reads."""

import io
from collections.abc import Callable


class BodyStream(io.RawIOBase):
    """At most `size` bytes of what `read` gives; reads as it is read from, and keeps nothing."""

    def __init__(self, read: Callable[[int], bytes], size: int) -> None:
        super().__init__()
        self._read = read
        self._left = size

    def readable(self) -> bool:
        return True

    def readinto(self, target: memoryview) -> int:  # type: ignore[override] # typeshed has the abstract Buffer
        """Fills `target` with the next bytes; 0 at the end."""
        part = self._read(min(len(target), self._left))
        target[: len(part)] = part
        self._left -= len(part)
        return len(part)
