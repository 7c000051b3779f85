"""Which compositions of soft prompts have a meaning; told when adapters are activated, not in a forward."""

from adapter_lib.engine import Part, Plan
from adapter_lib.engine.plan import Chain, Gated, Grouped, Mean, Single, Tokens
from adapter_lib.spec.configs import PrefixTuningConfig, SoftPromptConfig
from adapter_lib.spec.errors import CompositionError

_SPLIT = (
    "Split cannot act on soft prompts, nor on prefixes that count as tokens: it cuts the sequence among the "
    "adapters, and a prompt stands in the sequence before it is cut."
)
_MEAN = (
    "Average means soft prompts token by token, so all must have the same prompt_length and combine, in all "
    "rows alike; here they differ, or an adapter has no prompt in this tower."
)

# One entry per column of a prompt: how it is combined.
Columns = tuple[str, ...]


def check_prompts(plan: Plan) -> None:
    """Raises CompositionError for a plan that makes no sense of prompts."""
    _columns(plan)


def _columns(plan: Plan) -> Columns | None:
    """The columns that a plan adds to every row, None where rows differ."""
    if isinstance(plan, Single | Gated):
        return _of_part(plan.part)
    if isinstance(plan, Tokens | Grouped):
        raise CompositionError(_SPLIT)
    if isinstance(plan, Chain):
        steps = [_columns(step) for step in plan.steps]
        known = [step for step in steps if step is not None]
        return sum(known, ()) if len(known) == len(steps) else None
    children = [_columns(child) for child in plan.children]
    first = children[0]
    is_same = first is not None and all(child == first for child in children)
    if isinstance(plan, Mean) and not is_same:
        raise CompositionError(_MEAN)
    return first if is_same else None


def _of_part(part: Part) -> Columns:
    config = part.config
    if isinstance(config, PrefixTuningConfig):
        return ("prefix",) * config.prefix_length
    return (config.combine,) * config.prompt_length if isinstance(config, SoftPromptConfig) else ()
