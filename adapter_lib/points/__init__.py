"""Where an adapter acts: the only code that hooks a model."""

from adapter_lib.points.attention import AttentionPoint, InterfacePoint
from adapter_lib.points.attention_cache import CachePoint, MptPoint
from adapter_lib.points.attention_deberta import DebertaPoint
from adapter_lib.points.base import CHILD_PREFIX, PART_PREFIX, Point, hang, like_of, unhang
from adapter_lib.points.columns import columns
from adapter_lib.points.deltas import Rounding
from adapter_lib.points.experts import ExpertsHook, expert_tensors
from adapter_lib.points.hidden import InputPoint, OutputPoint
from adapter_lib.points.leaf import FusedPoint, LeafPoint, MapPoint, original_weight
from adapter_lib.points.mask import MaskCatcher
from adapter_lib.points.norm import NormPoint
from adapter_lib.points.positions import PositionPoint
from adapter_lib.points.prompt import PromptPoint, PromptTower
from adapter_lib.points.prompt_states import StatePromptPoint
from adapter_lib.points.prompt_tokens import TokenPromptPoint
from adapter_lib.points.site import SitePoint

__all__ = [
    "CHILD_PREFIX",
    "PART_PREFIX",
    "AttentionPoint",
    "CachePoint",
    "DebertaPoint",
    "ExpertsHook",
    "FusedPoint",
    "InputPoint",
    "InterfacePoint",
    "LeafPoint",
    "MapPoint",
    "MaskCatcher",
    "MptPoint",
    "NormPoint",
    "OutputPoint",
    "Point",
    "PositionPoint",
    "PromptPoint",
    "PromptTower",
    "Rounding",
    "SitePoint",
    "StatePromptPoint",
    "TokenPromptPoint",
    "columns",
    "expert_tensors",
    "hang",
    "like_of",
    "original_weight",
    "unhang",
]
