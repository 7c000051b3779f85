"""Adapters, fusions and compositions from and to the folders of AdapterHub's library."""

from adapter_lib.formats.adapterhub.exporting import export
from adapter_lib.formats.adapterhub.exporting.compositions import export_setup
from adapter_lib.formats.adapterhub.exporting.fusion import export_fusion
from adapter_lib.formats.adapterhub.importing.compositions import HubSetup, is_setup, read_setup
from adapter_lib.formats.adapterhub.importing.folder import read
from adapter_lib.formats.adapterhub.importing.fusion import (
    ImportedFusion,
    adapters_of,
    attach_fusion,
    is_fusion,
    read_fusion,
)

__all__ = [
    "HubSetup",
    "ImportedFusion",
    "adapters_of",
    "attach_fusion",
    "export",
    "export_fusion",
    "export_setup",
    "is_fusion",
    "is_setup",
    "read",
    "read_fusion",
    "read_setup",
]
