import pytest

from hubsite.search.methods import method_names


@pytest.mark.parametrize(
    ("word", "names"),
    [
        ("lora", {"lora"}),
        ("LoRA", {"lora"}),
        ("pfeiffer", {"seq_bn"}),
        ("seq-bn", {"seq_bn"}),
        (
            "bottleneck",
            {
                *("bottleneck", "seq_bn", "double_seq_bn", "par_bn", "scaled_par_bn"),
                *("adapter_plus", "seq_bn_inv", "double_seq_bn_inv"),
            },
        ),
        ("imdb", set()),
        ("lora[r=4", set()),
        ("", set()),
    ],
)
def test_words_for_methods(word: str, names: set[str]) -> None:
    assert method_names(word) == names
