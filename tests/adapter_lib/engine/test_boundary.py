"""Copying a call's arguments for Parallel."""

import pytest
import torch

from adapter_lib.engine import replicate
from adapter_lib.spec.errors import CompositionError


def test_rows_are_copied_channel_by_channel_and_nothing_else_is() -> None:
    ids = torch.arange(6).view(2, 3)
    cache = object()
    args, kwargs = replicate(
        (ids,),
        {
            "labels": torch.tensor([7, 8]),
            "attention_mask": {"full_attention": torch.ones(2, 1, 3, 3)},
            "position_ids": torch.arange(3).unsqueeze(0),
            "cache_position": torch.arange(2),
            "num_items_in_batch": torch.tensor(2),
            "past_key_values": cache,
            "use_cache": True,
        },
        3,
    )
    assert args[0].tolist() == ids.tolist() * 3
    assert kwargs["labels"].tolist() == [7, 8] * 3
    assert kwargs["attention_mask"]["full_attention"].shape == (6, 1, 3, 3)
    assert kwargs["position_ids"].shape == (1, 3)
    assert kwargs["cache_position"].tolist() == [0, 1]
    assert kwargs["num_items_in_batch"].item() == 2
    assert kwargs["past_key_values"] is cache
    assert kwargs["use_cache"] is True


def test_embeddings_show_the_batch_too() -> None:
    _, kwargs = replicate((), {"inputs_embeds": torch.zeros(2, 3, 4)}, 2)
    assert kwargs["inputs_embeds"].shape == (4, 3, 4)
    with pytest.raises(CompositionError, match="finds no batch"):
        replicate((), {"input_ids": None}, 2)
