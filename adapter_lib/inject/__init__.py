"""A family's table and a config become points with parameters on one model."""

from adapter_lib.inject.atlas import Atlas, Key, Spot
from adapter_lib.inject.injection import Injection, SharedStore
from adapter_lib.inject.pointset import forget_compiled_code
from adapter_lib.inject.renaming import rename
from adapter_lib.inject.report import AttachReport
from adapter_lib.inject.sharing import sharing_groups

__all__ = [
    "Atlas",
    "AttachReport",
    "Injection",
    "Key",
    "SharedStore",
    "Spot",
    "forget_compiled_code",
    "rename",
    "sharing_groups",
]
