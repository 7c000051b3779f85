"""Returning gates, fusion attentions and route weights with the model's output."""

from typing import Any

from transformers.utils.generic import ModelOutput

from adapter_lib.engine import Record

# What a call may ask for → the kind of record, and the name under which the output has it.
RECORDS = {
    "output_adapter_gating_scores": ("gates", "adapter_gating_scores"),
    "output_adapter_fusion_attentions": ("fusion", "adapter_fusion_attentions"),
    "output_adapter_route_weights": ("routes", "adapter_route_weights"),
}


def wants(kwargs: dict[str, Any]) -> list[str]:
    """Takes the requests for records out of a call's arguments; gives those that were true."""
    # All of them are taken out: a request that is false is none of the model's own arguments either.
    return [name for name in RECORDS if kwargs.pop(name, False)]


def with_records(output: Any, record: Record, asked: list[str]) -> Any:
    """The output with what was recorded: adapter or block → place → tensor [rows, …].

    The rows are those on which the adapter or block acted, in the order of the batch and its copies. Under
    MultiTask they stand task by task. A tuple has its records at the end, in the order of `RECORDS`.
    """
    found = [(RECORDS[name][1], record.get(RECORDS[name][0], {})) for name in asked]
    if isinstance(output, tuple):
        return (*output, *(values for _, values in found))
    if isinstance(output, ModelOutput):
        for key, values in found:
            output[key] = values
    return output
