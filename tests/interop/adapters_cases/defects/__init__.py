"""Known defects of the peer, each shown by a number that one short run measures."""

from tests.interop.adapters_cases.defects import attention, blocks, files, low_rank, placement
from tests.interop.adapters_cases.defects.registry import measure_all

__all__ = ["attention", "blocks", "files", "low_rank", "measure_all", "placement"]
