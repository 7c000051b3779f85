"""What flows through a composition at one point."""

from adapter_lib.engine.states.attention import AFTER_FUSE, Attention, AttentionState
from adapter_lib.engine.states.experts import ExpertsState
from adapter_lib.engine.states.hidden import HiddenState
from adapter_lib.engine.states.leaf import GridState, LeafState, weighted
from adapter_lib.engine.states.prefix import Prefix
from adapter_lib.engine.states.prompt import BEHIND_FIRST, IN_FRONT, NO_TOKEN, PromptState
from adapter_lib.engine.states.site import SiteState
from adapter_lib.engine.states.state import State, no_tokens

__all__ = [
    "AFTER_FUSE",
    "BEHIND_FIRST",
    "IN_FRONT",
    "NO_TOKEN",
    "Attention",
    "AttentionState",
    "ExpertsState",
    "GridState",
    "HiddenState",
    "LeafState",
    "Prefix",
    "PromptState",
    "SiteState",
    "State",
    "no_tokens",
    "weighted",
]
