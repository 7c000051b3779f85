"""Config strings: what they mean, and what is said about those that mean nothing."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapter_lib.spec.configs import (
    BnConfig,
    DoubleSeqBnConfig,
    LoRAConfig,
    ParBnConfig,
    PerLayer,
    SeqBnConfig,
)
from adapter_lib.spec.errors import ConfigError
from adapter_lib.spec.strings import parse_config


@pytest.mark.parametrize(
    ("text", "config"),
    [
        ("lora", LoRAConfig()),
        ("lora[]", LoRAConfig()),
        ("lora[r=16,alpha=32]", LoRAConfig(r=16, alpha=32)),
        (
            " lora [ r = 4 , targets = [q, 'k'] , rslora=True ] ",
            LoRAConfig(r=4, targets=("q", "k"), rslora=True),
        ),
        ("lora[leave_out=[0, 2], dropout=.1]", LoRAConfig(leave_out=(0, 2), dropout=0.1)),
        ("seq_bn", SeqBnConfig()),
        ("pfeiffer", SeqBnConfig()),
        ("houlsby[non_linearity=gelu]", DoubleSeqBnConfig(non_linearity="gelu")),
        ("parallel[scaling='learned']", ParBnConfig(scaling="learned")),
        (
            'seq_bn[reduction_factor={"0": 8, default: 16}]',
            SeqBnConfig(reduction_factor={"0": 8, "default": 16}),
        ),
        ("seq_bn[reduction_factor=1.5e1]", SeqBnConfig(reduction_factor=15)),
    ],
)
def test_a_string_says_what_the_config_says(text: str, config: BnConfig | LoRAConfig) -> None:
    assert parse_config(text) == config


def test_a_config_is_handed_back() -> None:
    config = LoRAConfig(r=2)
    assert parse_config(config) is config


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "expected the name"),
        ("lorra", "known are: double_seq_bn, lora"),
        ("lora[rank=4]", "position 5: 'rank' is not a key of LoRAConfig; valid keys: alpha, dropout"),
        ("lora[r=4", "expected ','"),
        ("lora[r=4]x", "position 9: expected the end"),
        ("lora[r]", "expected '='"),
        ("lora[r=]", "expected a value"),
        ("lora[r=4,r=5]", "given twice"),
        ("lora[r='4]", "never closed"),
        ("lora[r=4.5]", "r must be a whole number"),
        ("lora[r=True]", "r must be a whole number"),
        ("lora[targets=q]", "targets must be a list from q, k"),
        ("lora[targets=[q,x]]", "targets must be a list from q, k"),
        ("seq_bn[leave_out=[0,0]]", "different layer numbers"),
        ("seq_bn[non_linearity=__import__]", "non_linearity must be one of"),
        ("lora[r=[[[[[[1]]]]]]]", "nested deeper"),
        ("lora" + " " * 3000, "at most 2000"),
    ],
)
def test_a_bad_string_is_refused_with_place_and_reason(text: str, said: str) -> None:
    with pytest.raises(ConfigError) as error:
        parse_config(text)
    assert said in str(error.value)


def test_the_place_is_shown_under_the_string() -> None:
    with pytest.raises(ConfigError) as error:
        parse_config("lora[r=4, rank=8]")
    shown, pointer = str(error.value).splitlines()[1:]
    assert shown[pointer.index("^") :].startswith("rank")


def test_something_else_than_a_string_is_refused() -> None:
    with pytest.raises(ConfigError, match="config object or a string"):
        parse_config(8)  # type: ignore[arg-type]


@given(st.text(alphabet="lorabnseq_[]{}=,:'\" 0123456789.+-\n", max_size=40))
def test_any_text_gives_a_config_or_a_config_error(text: str) -> None:
    # Anything but a ConfigError would fail the test.
    with contextlib.suppress(ConfigError):
        assert parse_config(text).name()


@given(r=st.integers(1, 512), alpha=st.floats(0.01, 1000), rslora=st.booleans())
def test_every_lora_config_can_be_written_as_a_string(r: int, alpha: float, rslora: bool) -> None:
    expected = LoRAConfig(r=r, alpha=alpha, rslora=rslora)
    assert parse_config(f"lora[r={r}, alpha={alpha!r}, rslora={rslora}]") == expected


def test_a_factor_per_layer_is_read_by_layer() -> None:
    factor = PerLayer.parse({"0": 8, "default": 16})
    assert [factor.at(0), factor.at(5)] == [8.0, 16.0]
