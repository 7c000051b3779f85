"""What is known of the rows of a state, cut as the state is cut."""

import torch

from adapter_lib.engine import NOTHING, Call, Info

MASK = torch.tensor([[1, 1, 1, 0], [1, 1, 0, 0]])


def test_masks_and_tasks_are_cut_with_the_rows() -> None:
    info = Info(MASK, torch.tensor([5, 7]))
    assert info.rows(1, 2, 2).mask is not None
    assert torch.equal(info.rows(1, 2, 2).mask, MASK[1:])  # type: ignore[arg-type]
    picked = info.pick(torch.tensor([1, 0]), 2)
    assert picked.tasks is not None
    assert picked.tasks.tolist() == [7, 5]
    assert NOTHING.rows(0, 1, 2) is NOTHING


def test_the_mask_of_the_tokens_of_a_state() -> None:
    info = Info(MASK)
    assert NOTHING.token_mask(4) is None
    assert torch.equal(info.token_mask(4), MASK)  # type: ignore[arg-type]
    assert torch.equal(info.token_mask(1), MASK[:, 3:]), "with a cache, the last tokens"  # type: ignore[arg-type]
    longer = info.token_mask(6)
    assert longer is not None
    assert longer.tolist() == [[1, 1, 1, 1, 1, 0], [1, 1, 1, 1, 0, 0]], "soft prompts are no padding"


def test_a_state_of_something_else_than_the_towers_tokens_has_no_mask_of_its_own() -> None:
    info = Info(MASK, length=4)
    assert torch.equal(info.own_mask(4), MASK)  # type: ignore[arg-type]
    assert info.own_mask(2) is None, "summaries of several tokens"
    assert info.token_mask(2) is None
    assert info.own_mask(6) is None, "tokens that the model added itself"
    continued = Info(MASK, length=1)
    assert torch.equal(continued.own_mask(1), MASK[:, 3:])  # type: ignore[arg-type]
    assert torch.equal(info.tokens(1, 3, 4).own_mask(2), MASK[:, 1:3])  # type: ignore[arg-type]
    assert Info(MASK).own_mask(3) is None


def test_a_split_within_a_split_knows_its_tokens() -> None:
    inner = Info(MASK).tokens(1, 4, 4).tokens(1, 3, 3)
    assert inner.window == (2, 4)
    assert torch.equal(inner.token_mask(2), MASK[:, 2:4])  # type: ignore[arg-type]


def test_a_call_tells_nothing_unless_there_is_something_to_tell() -> None:
    call = Call()
    assert call.info("encoder") is NOTHING
    call.masks["encoder"] = MASK
    assert call.info("encoder").mask is MASK
    assert call.info("decoder").mask is None
    call.sources["encoder"] = MASK[:, :2]
    call.lengths["encoder"] = 4
    assert call.info("encoder").length == 4
    source = call.info("encoder", is_of_source=True)
    assert source.mask is not None
    assert source.mask.shape == (2, 2)
    assert source.length is None
    call.forget_masks()
    assert call.info("encoder") is NOTHING
