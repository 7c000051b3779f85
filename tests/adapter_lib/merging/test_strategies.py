"""Strategies: what they take, what they refuse, and their random numbers."""

from typing import Any

import pytest
import torch

from adapter_lib.merging import STRATEGIES, Factors, Strategy
from adapter_lib.merging.low_rank import dense
from adapter_lib.spec.errors import AttachError, ConfigError

LOW = Factors(torch.randn(2, 6), torch.randn(5, 2))
DRAWN = tuple(name for name in STRATEGIES if name not in ("linear", "cat", "svd"))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"name": "mean"}, "There is no strategy 'mean'; there are: linear, cat, svd, ties"),
        ({"name": "linear", "rank": 4}, "linear loses nothing; strategy='svd' takes rank"),
        ({"name": "cat", "energy": 0.9}, "cat loses nothing"),
        ({"name": "svd"}, "svd needs a rank or an energy share"),
        ({"name": "svd", "rank": 0}, "rank must be a whole number above 0, not 0"),
        ({"name": "svd", "rank": True}, "rank must be a whole number above 0, not True"),
        ({"name": "svd", "energy": 1.5}, "energy must be a share above 0 and at most 1, not 1.5"),
        ({"name": "svd", "rank": 1, "density": 0.5}, "svd has no density"),
        ({"name": "ties"}, "ties needs a density above 0 and at most 1"),
        ({"name": "dare_linear", "density": 0}, "dare_linear needs a density"),
        ({"name": "magnitude_prune", "density": float("nan")}, "needs a density"),
        ({"name": "ties", "density": 0.5, "elect": "vote"}, "elect must be total or count, not 'vote'"),
        ({"name": "ties", "density": 0.5, "trim": "layer"}, "trim must be map or whole, not 'layer'"),
    ],
)
def test_settings_that_make_no_sense_are_refused(given: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        Strategy(**given)


def test_cat_refuses_an_update_without_factors() -> None:
    with pytest.raises(AttachError, match=r"one of the updates at layers.0.attn.q has none"):
        Strategy(name="cat").combined([LOW, dense(LOW)], [1, 1], "layers.0.attn.q")


def test_cat_keeps_the_factors_as_they_are() -> None:
    strategy = Strategy(name="cat")
    both = strategy.combined([LOW, LOW], [1.0, -1.0], "q")
    assert strategy.factors(both, 0.0) is both
    torch.testing.assert_close(dense(both), torch.zeros(5, 6), atol=1e-6, rtol=0)


@pytest.mark.parametrize("name", DRAWN)
def test_one_update_kept_whole_is_itself(name: str) -> None:
    found = Strategy(name=name, density=1.0).combined([LOW], [1.0], "q")
    torch.testing.assert_close(dense(found), dense(LOW), atol=0, rtol=0)


@pytest.mark.parametrize("name", ["dare_linear", "dare_ties"])
def test_random_numbers_follow_the_seed_and_the_place(name: str) -> None:
    def drawn(seed: int, key: str) -> torch.Tensor:
        return dense(Strategy(name=name, density=0.5, seed=seed).combined([LOW], [1.0], key))

    state = torch.get_rng_state()
    assert torch.equal(drawn(0, "q"), drawn(0, "q"))
    assert not torch.equal(drawn(0, "q"), drawn(1, "q"))
    assert not torch.equal(drawn(0, "q"), drawn(0, "v"))
    assert torch.equal(torch.get_rng_state(), state)


@pytest.mark.parametrize("name", ["ties", "magnitude_prune"])
def test_what_was_trimmed_as_a_whole_is_not_trimmed_again(name: str) -> None:
    found = Strategy(name=name, density=0.1, trim="whole").combined([LOW], [1.0], "q")
    torch.testing.assert_close(dense(found), dense(LOW), atol=0, rtol=0)
    again = Strategy(name=name, density=0.1).combined([LOW], [1.0], "q")
    assert int(torch.count_nonzero(dense(again))) == 3
