"""The order of prompts and tokens, read off small rows."""

import torch
from torch import Tensor

from adapter_lib.engine import BEHIND_FIRST, IN_FRONT, NO_TOKEN, PromptState
from adapter_lib.points.weaving import Weave

# Two prompts in row 0 (one behind the first token), one in row 1, whose first two tokens are padding.
COLUMNS = torch.tensor([[IN_FRONT, BEHIND_FIRST], [IN_FRONT, NO_TOKEN]])
MASK = torch.tensor([[1, 1, 1, 1], [0, 0, 1, 1]])
PROMPTS = torch.tensor([[100, 101], [200, 0]])
TOKENS = torch.tensor([[1, 2, 3, 4], [5, 6, 7, 8]])


def _weave(*, fills_left: bool, mask: Tensor | None = MASK) -> Weave:
    state = PromptState(TOKENS, torch.empty(2, 2, 0), COLUMNS, is_even=False)
    return Weave.of(state, 4, mask, fills_left=fills_left)


def test_a_prompt_stands_at_its_rows_first_token() -> None:
    left, right = _weave(fills_left=True), _weave(fills_left=False)
    assert left.woven(PROMPTS, TOKENS).tolist() == [[100, 1, 101, 2, 3, 4], [0, 5, 6, 200, 7, 8]]
    assert right.woven(PROMPTS, TOKENS).tolist() == [[100, 1, 101, 2, 3, 4], [5, 6, 200, 7, 8, 0]]
    assert _weave(fills_left=True, mask=None).woven(PROMPTS, TOKENS).tolist()[1] == [0, 200, 5, 6, 7, 8]


def test_the_tokens_come_back() -> None:
    for fills_left in (True, False):
        weave = _weave(fills_left=fills_left)
        assert torch.equal(weave.restored(weave.woven(PROMPTS, TOKENS)), TOKENS)
        states = torch.randn(2, 6, 3)
        assert weave.restored(states).shape == (2, 4, 3)


def test_masks_and_fillings() -> None:
    weave = _weave(fills_left=True)
    assert weave.length == 6
    assert weave.mask(MASK).tolist() == [[1, 1, 1, 1, 1, 1], [0, 0, 0, 1, 1, 1]]
    assert weave.filled(9, TOKENS).tolist() == [[9, 1, 9, 2, 3, 4], [9, 5, 6, 9, 7, 8]]


def test_positions_count_prompts_and_nothing_else() -> None:
    weave = _weave(fills_left=True)
    given = torch.tensor([[0, 1, 2, 3], [0, 0, 0, 1]])
    assert weave.positions(given).tolist() == [[0, 1, 2, 3, 4, 5], [0, 0, 0, 0, 1, 2]]
    assert weave.positions(torch.tensor([[2, 3, 4, 5]])).tolist()[0] == [2, 3, 4, 5, 6, 7]
    assert weave.counted().tolist() == [[0, 1, 2, 3, 4, 5], [0, 0, 1, 2, 3, 4]]


def test_states_are_replaced_where_prompts_stand() -> None:
    weave = _weave(fills_left=True)
    states = torch.zeros(2, 7, 1)
    found = weave.replaced(states, PROMPTS[..., None].float())[..., 0]
    assert found.tolist() == [[100, 0, 101, 0, 0, 0, 0], [0, 0, 0, 200, 0, 0, 0]]
