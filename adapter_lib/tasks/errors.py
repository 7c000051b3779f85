"""What is wrong with somebody's data or with what was asked of a task."""

from adapter_lib.spec.errors import AdapterLibError


class DataError(AdapterLibError):
    """Data that cannot be read or used; the sentence names the file, the line and the column."""


class TaskError(AdapterLibError):
    """A task that does not exist, or that a backbone or an adapter cannot do."""
