"""Where an adapter acts: the only code that hooks a model."""

from adapter_lib.points.base import CHILD_PREFIX, Point, hang, like_of, unhang
from adapter_lib.points.leaf import FusedPoint, LeafPoint, linear_widths, original_weight
from adapter_lib.points.site import SitePoint

__all__ = [
    "CHILD_PREFIX",
    "FusedPoint",
    "LeafPoint",
    "Point",
    "SitePoint",
    "hang",
    "like_of",
    "linear_widths",
    "original_weight",
    "unhang",
]
