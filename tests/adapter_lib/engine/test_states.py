"""States can be cut, put together and averaged without a row noticing what the others are about."""

import pytest
import torch
from torch import Tensor

from adapter_lib.engine import HiddenState, Info, LeafState, SiteState
from adapter_lib.spec.errors import CompositionError

B, S, D = 4, 3, 5


def norm(x: Tensor) -> Tensor:
    """A norm that can be told from doing nothing."""
    return 2 * x + 1


def site() -> SiteState:
    torch.manual_seed(0)
    return SiteState(torch.randn(B, S, D), torch.randn(B, S, D), norm)


def adapted(state: SiteState, seed: int, *, final: bool = False, tells: bool = True) -> SiteState:
    """What an adapter might make of a state; some tell what they added to what, others do not."""
    torch.manual_seed(seed)
    delta, stand = torch.randn_like(state.h), torch.randn_like(state.h)
    return state.made(delta, stand, final=final) if tells else state.spoken(stand + delta, final=final)


def test_rows_that_were_cut_come_together_again() -> None:
    state = site()
    pieces = [
        adapted(state.rows(0, 1, 4), 1),
        adapted(state.rows(1, 3, 4), 2, final=True),
        state.rows(3, 4, 4),
    ]
    joined = state.cat(pieces)
    assert isinstance(joined.final, Tensor)
    assert joined.final[:, 0, 0].tolist() == [False, True, True, False]
    for (start, stop), piece in zip([(0, 1), (1, 3), (3, 4)], pieces, strict=True):
        assert torch.equal(joined.settled()[start:stop], piece.settled())
        own = state.rows(start, stop, 4)
        torch.testing.assert_close(state.added(joined)[start:stop], own.added(piece))
        torch.testing.assert_close(state.residual(joined)[start:stop], own.residual(piece))


def test_rows_that_were_picked_keep_what_their_adapters_told() -> None:
    state = site()
    after = adapted(state, 1)
    order = torch.tensor([2, 0, 3, 1])
    picked = after.pick(order, B)
    assert torch.equal(state.added(picked), state.added(after)[order])
    assert torch.equal(state.pick(order, B).cat([picked]).h, after.h[order])


def test_tokens_that_were_cut_come_together_again() -> None:
    state = site()
    first, second = state.tokens(0, 1), state.tokens(1, 3)
    assert (first.info.window, second.info.window) == ((0, 3), (1, 3))
    joined = state.cat_tokens([adapted(first, 1, final=True), adapted(second, 2)])
    assert isinstance(joined.final, Tensor)
    assert joined.final[0, :, 0].tolist() == [True, False, False]
    assert torch.equal(joined.settled()[:, :1], adapted(first, 1).h)
    torch.testing.assert_close(state.added(joined)[:, 1:], second.added(adapted(second, 2)))


@pytest.mark.parametrize("finals", [(False, False), (True, False), (True, True)])
@pytest.mark.parametrize("tells", [(True, True), (True, False), (False, False)])
def test_a_mean_is_the_same_for_a_row_whatever_the_others_do(
    finals: tuple[bool, bool], tells: tuple[bool, bool]
) -> None:
    state = site()
    results = [
        adapted(state, seed, final=f, tells=t) for seed, f, t in zip((1, 2), finals, tells, strict=True)
    ]
    upper, lower = state.rows(0, 2, 4), state.rows(2, 4, 4)
    plain = [adapted(lower, seed) for seed in (3, 4)]
    mixed = [
        state.cat([SiteState.rows(result, 0, 2, 4), other])
        for result, other in zip(results, plain, strict=True)
    ]
    mean = state.mean(mixed, [0.25, 0.75])
    own = upper.mean([SiteState.rows(result, 0, 2, 4) for result in results], [0.25, 0.75])
    torch.testing.assert_close(mean.settled()[:2], own.settled())
    below = lower.mean(plain, [0.25, 0.75])
    torch.testing.assert_close(mean.settled()[2:], below.settled())
    torch.testing.assert_close(state.added(mean)[2:], lower.added(below))


def test_a_mean_of_what_is_final_is_taken_behind_the_norm() -> None:
    state = site()
    spoken, plain = adapted(state, 1, final=True), adapted(state, 2)
    mean = state.mean([spoken, plain], [0.5, 0.5])
    assert mean.final is True
    torch.testing.assert_close(mean.h, (spoken.h + norm(plain.h + state.r)) / 2)


def test_children_see_nothing_of_the_adapter_before_them() -> None:
    before = adapted(site(), 1)
    fresh = before.fresh()
    assert torch.equal(fresh.h, before.h)
    assert fresh.delta is None
    # A child that is not here hands its input on: it has added nothing.
    assert torch.equal(fresh.added(fresh), torch.zeros(B, S, D))
    untouched = fresh.mean([fresh, adapted(fresh, 2)], [1.0, 1.0])
    torch.testing.assert_close(fresh.added(untouched), fresh.added(adapted(fresh, 2)))


def test_what_a_fusion_asks_with_and_adds_to() -> None:
    state = site()
    torch.testing.assert_close(state.query(), norm(state.h + state.r))
    assert state.query(is_normed=False) is state.h
    last = adapted(state, 1, final=True)
    total = torch.ones(B, S, D)
    after = state.plus(total, last)
    assert last.stand is not None
    torch.testing.assert_close(after.h, last.stand + 1)
    assert after.final is True


def test_a_gate_scales_what_was_added_to_what_stands() -> None:
    state, gate = site(), torch.full((B, 1, 1), 0.25)
    after = adapted(state, 1)
    scaled = state.scaled(after, gate)
    assert after.stand is not None
    assert after.delta is not None
    torch.testing.assert_close(scaled.h, after.stand + 0.25 * after.delta)
    torch.testing.assert_close(state.added(scaled), 0.25 * after.delta)


def test_an_embedding_has_the_features_of_what_it_gives() -> None:
    ids, out = torch.tensor([[1, 2], [3, 4]]), torch.randn(2, 2, D)
    state = LeafState(ids, out + 1, out)
    assert state.features() is out
    assert LeafState(out, out, out).features() is out
    cut = state.tokens(1, 2)
    assert cut.x.tolist() == [[2], [4]]
    assert cut.info.window == (1, 2)


def test_tokens_that_stand_one_by_one_cannot_be_cut() -> None:
    flat = torch.randn(B * S, D)
    for state in (LeafState(flat, flat, flat), HiddenState(flat), SiteState(flat, flat, None)):
        with pytest.raises(CompositionError, match="no dimension of tokens"):
            state.length()


def test_a_hidden_state_knows_where_its_tokens_stood() -> None:
    state = HiddenState(torch.randn(B, S, D), Info(torch.ones(B, S)))
    assert state.window is None
    assert state.tokens(1, 3).tokens(1, 2).window == (2, 3)
