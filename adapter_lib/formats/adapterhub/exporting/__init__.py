"""To AdapterHub's files."""

from adapter_lib.formats.adapterhub.exporting.writing import export

__all__ = ["export"]
