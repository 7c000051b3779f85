"""Plans, states and the one evaluator: what every method and every block share."""

from adapter_lib.engine.boundary import replicate
from adapter_lib.engine.evaluate import evaluate
from adapter_lib.engine.grouped import LowRank, add_low_rank, add_low_rank_groups
from adapter_lib.engine.part import Groups, Part
from adapter_lib.engine.plan import Plan, compile_plan
from adapter_lib.engine.state import LeafState, SiteState, State

__all__ = [
    "Groups",
    "LeafState",
    "LowRank",
    "Part",
    "Plan",
    "SiteState",
    "State",
    "add_low_rank",
    "add_low_rank_groups",
    "compile_plan",
    "evaluate",
    "replicate",
]
