"""Config strings: what they mean, and what is said about those that mean nothing."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapter_lib.spec.configs import (
    DoubleSeqBnConfig,
    LoRAConfig,
    MethodConfig,
    ParBnConfig,
    PerLayer,
    SeqBnConfig,
    UnionConfig,
    config_to_dict,
    known_aliases,
    known_presets,
    preset_class,
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
        ("lora|par_bn", UnionConfig(configs=(LoRAConfig(), ParBnConfig()))),
        (
            " lora[r=16,alpha=32] | seq_bn[reduction_factor={'0': 8, default: 2}] ",
            UnionConfig(
                configs=(
                    LoRAConfig(r=16, alpha=32),
                    SeqBnConfig(reduction_factor={"0": 8, "default": 2}),
                )
            ),
        ),
        ("(lora|par_bn)|lora", UnionConfig(configs=(LoRAConfig(), ParBnConfig(), LoRAConfig()))),
        ("((lora))", LoRAConfig()),
        (
            "(lora|par_bn)[leave_out=[1]]",
            UnionConfig(configs=(LoRAConfig(), ParBnConfig()), leave_out=(1,)),
        ),
        (
            "lora[targets=['re:.*(query|value)']] | par_bn",
            UnionConfig(configs=(LoRAConfig(targets=("re:.*(query|value)",)), ParBnConfig())),
        ),
        ('{"method": "lora", "config": {"r": 4}}', LoRAConfig(r=4)),
        (' {"method": "lora"}', LoRAConfig()),
    ],
)
def test_a_string_says_what_the_config_says(text: str, config: MethodConfig) -> None:
    assert parse_config(text) == config


def test_a_config_is_handed_back() -> None:
    config = LoRAConfig(r=2)
    assert parse_config(config) is config


def test_a_mapping_says_what_a_file_says() -> None:
    union = parse_config("lora[r=2]|par_bn")
    assert parse_config({"method": "union", "config": config_to_dict(union)}) == union
    assert parse_config({"method": "lora"}) == LoRAConfig()


NAMES_OF_ADAPTERS = """
    seq_bn pfeiffer double_seq_bn houlsby par_bn parallel scaled_par_bn scaled_parallel
    seq_bn_inv pfeiffer+inv double_seq_bn_inv houlsby+inv compacter compacter++
    prefix_tuning prefix_tuning_flat prompt_tuning lora ia3 vera dora dvora
    mtl_lora loreft noreft direft mam unipelt
    prefix_tuning|par_bn lora[r=16,alpha=32]
    seq_bn[reduction_factor=8,non_linearity='gelu']
"""


@pytest.mark.parametrize("text", NAMES_OF_ADAPTERS.split())
def test_what_users_of_adapters_write_is_understood(text: str) -> None:
    config = parse_config(text)
    again = parse_config({"method": config.method, "config": config_to_dict(config)})
    assert again == config
    assert again.name() == config.name()


def test_every_preset_can_be_asked_for_by_name() -> None:
    needed = {"trainable_tokens": "[token_indices=[3, 5]]"}
    for name in (*known_presets(), *known_aliases()):
        assert isinstance(parse_config(name + needed.get(name, "")), preset_class(name)), name


@pytest.mark.parametrize("name", ["mam", "unipelt"])
def test_a_ready_union_takes_layers_to_leave_out_and_nothing_else(name: str) -> None:
    config = parse_config(f"{name}[leave_out=[0]]")
    assert isinstance(config, UnionConfig)
    assert len(config.configs) > 1
    assert config.leave_out == (0,)
    with pytest.raises(ConfigError, match=f"'r' is no key of {name}; valid keys: leave_out"):
        parse_config(f"{name}[r=3]")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "expected the name"),
        ("lorra", "position 0: There is no adapter config called 'lorra'; known are: adalora"),
        ("lora|", "position 5: expected the name"),
        ("lora|par_bm", "position 5: There is no adapter config called 'par_bm'"),
        ("lora||par_bn", "position 5: expected the name"),
        ("(lora|par_bn", "position 12: expected ')'"),
        ("(lora)[r=3]", "'r' is no key of (…); valid keys: leave_out"),
        ("(((((lora)))))", "parentheses are nested deeper than 4"),
        ("lora[rank=4]", "position 5: 'rank' is no key of lora; valid keys: alpha, "),
        ("lora|lora[drop=0]", "position 10: 'drop' is no key of lora (did you mean dropout?)"),
        ('{"method": "lora"', "starts like JSON and is not"),
        ('{"method": "lora", "r": 4}', "is written {'method': …, 'config': {…}}"),
        ('{"method": 4}', "is written {'method'"),
        ('{"method": "lora", "config": {"rank": 4}}', "LoRAConfig has no key 'rank'"),
        ('{"method": "lorra"}', "no adapter method called 'lorra'"),
        ("lora[r=4", "expected ','"),
        ("lora[r=4]x", "position 9: expected the end"),
        ("lora[r]", "expected '='"),
        ("lora[r=]", "expected a value"),
        ("lora[r=4,r=5]", "given twice"),
        ("lora[r='4]", "never closed"),
        ("lora[r=4.5]", "r must be a whole number"),
        ("lora[r=True]", "r must be a whole number"),
        ("lora[targets=[]]", "targets must be a list of q, k"),
        ("lora[targets=['q w']]", "targets must be a list of q, k"),
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
        parse_config("par_bn | lora[r=4, rank=8]")
    shown, pointer = str(error.value).splitlines()[1:]
    assert shown[pointer.index("^") :].startswith("rank")


def test_something_else_than_a_string_is_refused() -> None:
    with pytest.raises(ConfigError, match="a string such as"):
        parse_config(8)  # type: ignore[arg-type]


@given(st.text(alphabet="lorabnseq_[]{}()|=,:'\" 0123456789.+-\n", max_size=40))
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
