"""Plans, states and the one evaluator: what every method and every block share."""

from adapter_lib.engine.boundary import check_batch, replicate, rows_of
from adapter_lib.engine.call import NOTHING, Around, Call, Info, Record
from adapter_lib.engine.compiling import Present, compile_plan
from adapter_lib.engine.evaluate import evaluate
from adapter_lib.engine.grouped import LowRank, add_low_rank, add_low_rank_groups
from adapter_lib.engine.host import Host
from adapter_lib.engine.part import BlockPart, Groups, Part, Several, Shared, WeightDelta, register
from adapter_lib.engine.plan import Plan, cuts_rows
from adapter_lib.engine.recording import place_name, record
from adapter_lib.engine.states import (
    AFTER_FUSE,
    BEHIND_FIRST,
    IN_FRONT,
    NO_TOKEN,
    Attention,
    AttentionState,
    ExpertsState,
    GridState,
    HiddenState,
    LeafState,
    Prefix,
    PromptState,
    SiteState,
    State,
    no_tokens,
    weighted,
)

__all__ = [
    "AFTER_FUSE",
    "BEHIND_FIRST",
    "IN_FRONT",
    "NOTHING",
    "NO_TOKEN",
    "Around",
    "Attention",
    "AttentionState",
    "BlockPart",
    "Call",
    "ExpertsState",
    "GridState",
    "Groups",
    "HiddenState",
    "Host",
    "Info",
    "LeafState",
    "LowRank",
    "Part",
    "Plan",
    "Prefix",
    "Present",
    "PromptState",
    "Record",
    "Several",
    "Shared",
    "SiteState",
    "State",
    "WeightDelta",
    "add_low_rank",
    "add_low_rank_groups",
    "check_batch",
    "compile_plan",
    "cuts_rows",
    "evaluate",
    "no_tokens",
    "place_name",
    "record",
    "register",
    "replicate",
    "rows_of",
    "weighted",
]
