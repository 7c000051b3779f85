"""Every algorithm against its paper's equations, recomputed entry by entry in float64."""

from collections.abc import Sequence

import numpy as np
import pytest
import torch
from torch import Tensor

from adapter_lib.merging.cat import concatenated
from adapter_lib.merging.dare import dare_linear, dare_ties, drop_and_rescale
from adapter_lib.merging.linear import weighted_sum
from adapter_lib.merging.low_rank import Factors, dense, difference, norm
from adapter_lib.merging.magnitude_prune import keep_above, keep_largest, magnitude_prune, threshold_of
from adapter_lib.merging.signs import mean_of_agreeing, sign_of_count, sign_of_total
from adapter_lib.merging.svd import best_factors, noise_of, rank_of
from adapter_lib.merging.ties import agreed, ties
from tests.adapter_lib.merging import papers


def _matrices(count: int, *shape: int) -> list[Tensor]:
    generator = torch.Generator().manual_seed(count)
    return [torch.randn(*shape, generator=generator, dtype=torch.float64) for _ in range(count)]


def _factors(rank: int, seed: int = 0, *experts: int) -> Factors:
    generator = torch.Generator().manual_seed(seed)
    a, b = (
        torch.randn(*experts, *shape, generator=generator, dtype=torch.float64)
        for shape in ((rank, 9), (7, rank))
    )
    return Factors(a, b)


def _check(found: Tensor, expected: papers.Matrix, within: float = 1e-12) -> None:
    torch.testing.assert_close(found, torch.from_numpy(expected), atol=within, rtol=0)


def _numpy(tensors: Sequence[Tensor]) -> list[papers.Matrix]:
    return [tensor.numpy() for tensor in tensors]


def test_a_weighted_sum_is_task_arithmetic() -> None:
    given, weights = _matrices(3, 7, 9), [0.7, -1.3, 2.0]
    expected = papers.task_arithmetic(_numpy(given), weights)
    _check(dense(weighted_sum(given, weights)), expected)
    mixed = [given[0], _factors(2), given[2]]
    expected = papers.task_arithmetic(_numpy([dense(each) for each in mixed]), weights)
    _check(dense(weighted_sum(mixed, weights)), expected)


def test_concatenation_is_the_sum_in_the_sum_of_the_ranks() -> None:
    given, weights = [_factors(2, 1), _factors(3, 2)], [0.5, -2.0]
    found = concatenated(given, weights)
    assert (found.a.shape, found.b.shape) == ((5, 9), (7, 5))
    _check(dense(found), papers.task_arithmetic(_numpy([dense(each) for each in given]), weights))
    assert isinstance(weighted_sum(given, weights), Factors)


@pytest.mark.parametrize("rank", [1, 3, 7])
def test_the_best_factors_of_a_rank(rank: int) -> None:
    (matrix,) = _matrices(1, 7, 9)
    expected = papers.best_of_rank(matrix.numpy(), rank)
    found = best_factors(matrix, rank)
    assert found.a.shape == (rank, 9)
    _check(dense(found), expected, 1e-11)
    # The same from factors, of which no product is made.
    u, s, v = torch.linalg.svd(matrix)
    split = Factors(s.sqrt()[:, None] * v[:7], u * s.sqrt())
    _check(dense(best_factors(split, rank)), expected, 1e-11)


@pytest.mark.parametrize("shape", [(7, 9), (9, 7), (2, 9, 7)])
@pytest.mark.parametrize("smallest", [0.5, 1e-7])
def test_small_singular_values_are_kept_as_exactly_as_large_ones(
    shape: tuple[int, ...], smallest: float
) -> None:
    (matrix,) = _matrices(1, *shape)
    u, s, v = torch.linalg.svd(matrix, full_matrices=False)
    s = torch.logspace(0, float(np.log10(smallest)), 7, dtype=s.dtype).expand_as(s)
    found = best_factors((u * s.unsqueeze(-2)) @ v, rank=6)
    cut = (u[..., :6] * s[..., :6].unsqueeze(-2)) @ v[..., :6, :]
    torch.testing.assert_close(dense(found), cut, atol=1e-14, rtol=0)
    # b and a share each singular value evenly.
    torch.testing.assert_close(found.b.norm(dim=-2), s[..., :6].sqrt(), atol=1e-7, rtol=1e-5)
    torch.testing.assert_close(found.a.norm(dim=-1), s[..., :6].sqrt(), atol=1e-7, rtol=1e-5)


def test_no_cut_keeps_what_is_not_rounding() -> None:
    low = _factors(3)
    for given in (low, dense(low), Factors(torch.cat([low.a, low.a]), torch.cat([low.b, low.b], 1) / 2)):
        found = best_factors(given)
        assert found.a.shape == (3, 9)
        torch.testing.assert_close(dense(found), dense(low), atol=1e-12, rtol=0)
    nothing = best_factors(torch.zeros(7, 9, dtype=torch.float64), energy=0.5)
    assert nothing.a.shape == (1, 9)
    assert not dense(nothing).any()


def test_the_noise_of_a_coarser_type_is_not_kept() -> None:
    low = dense(_factors(3)).float()
    assert best_factors(low.double()).a.shape[0] > 3
    assert best_factors(low.double(), noise=noise_of(low)).a.shape[0] == best_factors(low).a.shape[0] == 3


def test_an_energy_share_takes_the_smallest_rank_that_has_it() -> None:
    # Shares of the energy: 16, 4 and 1 of 21.
    singular = torch.tensor([4.0, 2.0, 1.0])
    shares = {0.5: 1, 16 / 21: 1, 16 / 21 + 1e-6: 2, 20 / 21: 2, 0.999: 3, 1.0: 3}
    assert {share: rank_of(singular, 0.0, None, share) for share in shares} == shares
    assert rank_of(singular, 0.0, 2, 0.999) == 2
    # Over experts together: (16 + 1, 4 + 1, 1 + 1) of 24.
    both = torch.stack([singular, torch.ones(3)])
    assert rank_of(both, 0.0, None, 17 / 24) == 1
    assert rank_of(both, 0.0, None, 0.8) == 2


def test_experts_are_decomposed_each_by_itself() -> None:
    given = _factors(2, 5, 3)
    found = best_factors(given, 1)
    assert (found.a.shape, found.b.shape) == ((3, 1, 9), (3, 7, 1))
    for expert in range(3):
        expected = papers.best_of_rank((given.b[expert] @ given.a[expert]).numpy(), 1)
        _check(dense(found)[expert], expected, 1e-11)


def test_norms_and_differences_of_factors_are_those_of_the_products() -> None:
    one, other = _factors(2, 1, 3), _factors(4, 2, 3)
    assert norm(one) == pytest.approx(float(torch.linalg.vector_norm(dense(one))), rel=1e-12)
    lost = dense(one) - dense(other)
    torch.testing.assert_close(dense(difference(one, other)), lost, atol=1e-12, rtol=0)
    torch.testing.assert_close(difference(dense(one), other), lost, atol=1e-12, rtol=0)


@pytest.mark.parametrize("density", [0.1, 0.37, 1.0])
def test_pruning_keeps_the_largest_entries(density: float) -> None:
    given, weights = _matrices(2, 7, 9), [1.5, -0.5]
    expected = [papers.trimmed(each, density) for each in _numpy(given)]
    _check(keep_largest(given[0], density), expected[0])
    _check(magnitude_prune(given, weights, density), papers.task_arithmetic(expected, weights))


def test_at_least_one_entry_is_kept_and_experts_are_pruned_each_by_itself() -> None:
    (matrix,) = _matrices(1, 3, 7, 9)
    kept = keep_largest(matrix, 1e-9)
    assert [int(torch.count_nonzero(expert)) for expert in kept] == [1, 1, 1]
    assert kept.abs().amax((1, 2)).equal(matrix.abs().amax((1, 2)))


def test_pruning_as_a_whole_takes_the_largest_entries_of_all_maps() -> None:
    given = [*_matrices(2, 7, 9), 10 * _matrices(1, 4, 4)[0]]
    whole = np.concatenate([each.numpy().ravel() for each in given])
    threshold = threshold_of(given, 0.3)
    found = np.concatenate([keep_above(each, threshold).numpy().ravel() for each in given])
    np.testing.assert_array_equal(found, papers.trimmed(whole, 0.3))


@pytest.mark.parametrize("density", [0.2, 0.5, 1.0])
@pytest.mark.parametrize("scale", [1.0, 0.4])
def test_ties_is_the_papers_algorithm(density: float, scale: float) -> None:
    given = _matrices(4, 7, 9)
    expected = papers.ties(_numpy(given), scale, density)
    _check(ties(given, [scale] * 4, density), expected)
    cut = [torch.from_numpy(papers.trimmed(each.numpy(), density)) for each in given]
    _check(agreed(cut, [scale] * 4, sign_of_total), expected)


def test_ties_by_count() -> None:
    given = _matrices(5, 7, 9)
    found = ties(given, [1.0] * 5, 0.8, sign_of_count)
    _check(found, papers.ties_by_count(_numpy(given), 0.8))
    assert not torch.equal(found, ties(given, [1.0] * 5, 0.8))


def test_signs_where_updates_cancel() -> None:
    deltas = torch.tensor([[3.0, 1.0, 0.0, -2.0], [-1.0, -1.0, 0.0, 1.0], [-1.0, 0.0, 0.0, 1.0]])
    assert sign_of_total(deltas).tolist() == [1, 0, 0, 0]
    assert sign_of_count(deltas).tolist() == [-1, 0, 0, 1]
    assert mean_of_agreeing(deltas, sign_of_count(deltas)).tolist() == [-1, 0, 0, 1]


def test_a_negative_weight_votes_for_the_opposite() -> None:
    one, other = _matrices(2, 7, 9)
    found = ties([one, other], [1.0, -1.0], 0.5)
    torch.testing.assert_close(found, ties([one, -other], [1.0, 1.0], 0.5), atol=0, rtol=0)


def _generator() -> torch.Generator:
    return torch.Generator().manual_seed(11)


def _kept(shape: torch.Size, count: int, density: float) -> list[np.ndarray]:
    generator = _generator()
    return [(torch.rand(shape, generator=generator) < density).numpy() for _ in range(count)]


def test_dare_is_the_papers_equation() -> None:
    given, weights = _matrices(3, 7, 9), [0.5, 1.0, -0.7]
    masks = _kept(given[0].shape, 3, 0.3)
    dropped = [papers.dare(each, mask, 0.7) for each, mask in zip(_numpy(given), masks, strict=True)]
    _check(drop_and_rescale(given[0], 0.3, _generator()), dropped[0])
    found = dare_linear(given, weights, 0.3, _generator())
    _check(found, papers.task_arithmetic(dropped, weights))
    _check(dare_ties(given, [1.0] * 3, 0.3, _generator()), papers.ties(dropped, 1.0, 1.0))


def test_dare_keeps_the_expectation() -> None:
    (matrix,) = _matrices(1, 4, 5)
    generator = _generator()
    drawn = torch.stack([drop_and_rescale(matrix, 0.25, generator) for _ in range(4000)])
    # A kept entry is 4 times as large, so that one draw spreads by √3 |δ|.
    error = (drawn.mean(0) - matrix).abs() / matrix.abs()
    assert error.max() < 4.5 * (3 / 4000) ** 0.5
    assert abs(float((drawn != 0).double().mean()) - 0.25) < 0.01
    assert torch.equal(drop_and_rescale(matrix, 1.0, generator), matrix)
