"""Composition blocks: immutable trees that say which adapters act on what, without a tensor.

A tree works on *channels*. A single adapter needs one: the batch as it comes. Parallel gives every child its
own copy of the batch, so it needs the sum of its children's channels; every other block works on as many as
its children do. Rows are ordered channel by channel: with N channels and a batch of B, output rows k·B to
(k + 1)·B - 1 belong to channel k, counted in reading order.
"""

from adapter_lib.spec.composition.block import Block, channel_of, channels_of, check_adapter_name
from adapter_lib.spec.composition.blocks import Average, BatchSplit, MultiTask, Parallel, Split, Stack
from adapter_lib.spec.composition.learned import Fuse, LearnedBlock, Route
from adapter_lib.spec.composition.parse import BLOCKS, parse_composition
from adapter_lib.spec.composition.rename import keys_after, learned_in, renamed

__all__ = [
    "BLOCKS",
    "Average",
    "BatchSplit",
    "Block",
    "Fuse",
    "LearnedBlock",
    "MultiTask",
    "Parallel",
    "Route",
    "Split",
    "Stack",
    "channel_of",
    "channels_of",
    "check_adapter_name",
    "keys_after",
    "learned_in",
    "parse_composition",
    "renamed",
]
