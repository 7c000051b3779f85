"""The errors of the library: one base class, so that a caller can catch all of them and nothing else.

Every message is one sentence or two: what was wrong, where, and what to do.
"""

from collections.abc import Iterable


class AdapterLibError(Exception):
    """Base of every error this library raises on purpose."""


class ConfigError(AdapterLibError):
    """A method's config has an unknown key, a missing key or a value outside its range."""


class CompositionError(AdapterLibError):
    """A composition block is malformed or cannot be used where it was put."""


class UnknownNameError(AdapterLibError):
    """A name (of an adapter, head, method, family …) that does not exist here."""


class FamilyError(AdapterLibError):
    """The model's architecture has no role table, or the table does not fit the model."""


class AttachError(AdapterLibError):
    """An adapter or a head cannot be attached to this model."""


class LoadError(AdapterLibError):
    """An adapter's files do not fit the model, or cannot be read or written."""


def listing(names: Iterable[str]) -> str:
    """`a, b, c` in sorted order, or `none`: how error messages list what exists."""
    return ", ".join(sorted(names)) or "none"
