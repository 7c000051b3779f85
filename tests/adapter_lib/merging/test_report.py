"""What reports say."""

import pytest

from adapter_lib.merging import AverageReport, LoRAReport, MergeReport, PlaceLoss

PLACES = (PlaceLoss("layers.0.attn.q", 4, 3.0, 0.3), PlaceLoss("layers.0.attn.v", 8, 4.0, 0.0))


def test_the_total_error_is_over_all_places_together() -> None:
    report = LoRAReport("c", ("a", "b"), "svd", PLACES, 1234)
    assert report.error == pytest.approx(0.3 / 5)
    assert report.ranks == {"layers.0.attn.q": 4, "layers.0.attn.v": 8}
    assert str(report) == (
        "c: LoRA of a, b (svd) at 2 places, rank 4 to 8, 1,234 parameters, relative error 6.00e-02 "
        "(worst: layers.0.attn.q 1.00e-01)"
    )


def test_what_was_left_out_is_told() -> None:
    report = LoRAReport("c", ("a",), "svd", PLACES[1:], 10, dropped_biases=("layers.0.attn.v",))
    assert str(report).endswith(
        "rank 8, 10 parameters, relative error 0.00e+00; the biases of 1 places were left out"
    )


def test_nothing_has_no_error() -> None:
    nothing = PlaceLoss("layers.0.attn.q", 1, 0.0, 0.0)
    assert nothing.error == LoRAReport("c", ("a",), "linear", (nothing,), 2).error == 0
    assert MergeReport("a", 1, 0.0, 0.0).error == 0


def test_merging_and_averaging_are_lines() -> None:
    assert str(MergeReport("a", 4, 2.0, 0.01)) == "a merged at 4 places, relative error 5.00e-03"
    lora = LoRAReport("m", ("a", "b"), "svd", PLACES, 7)
    found = AverageReport("m", ("a", "b"), "svd", "lora", 7, (lora,))
    assert str(found) == "m: mean of a, b (lora), 7 parameters, relative error 6.00e-02"
    assert found.error == lora.error
    found = AverageReport("m", ("a", "b"), "linear", "seq_bn", 7)
    assert (str(found), found.error) == ("m: mean of a, b (seq_bn), 7 parameters", 0)
