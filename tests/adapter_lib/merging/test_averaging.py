"""Means of parameters, and which methods have one."""

import pytest
import torch

import adapter_lib
from adapter_lib.merging import check_equal, check_has_mean, mean_parameters, write_parameters
from adapter_lib.merging.averaging import mean, parameters_of
from adapter_lib.spec.errors import AttachError
from tests.adapter_lib.tiny import prepared

# Whose update is linear in the parameters, or is no change of weights, or stays a rotation.
PARAMETERS = {
    "bitfit", "boft", "bottleneck", "compacter", "fourierft", "ia3", "invertible", "norm_tuning", "oft",
    "p_tuning", "prefix_tuning", "prompt_tuning", "reft", "trainable_tokens",
}  # fmt: skip
PRODUCTS = {"adalora", "dora", "dvora", "hira", "loha", "lokr", "lora", "mtl_lora", "vera"}


def test_every_method_says_what_its_mean_is() -> None:
    methods = [each for each in adapter_lib.list_methods() if each.name not in ("fusion", "route")]
    assert {method.name for method in methods if method.is_product} == PRODUCTS
    assert {method.name for method in methods if method.no_mean} == {"hra"}
    assert {method.name for method in methods} == PARAMETERS | PRODUCTS | {"hra"}


def test_a_mean_is_summed_in_float32_at_least() -> None:
    one, tiny = torch.tensor([256.0], dtype=torch.bfloat16), torch.tensor([1.0], dtype=torch.bfloat16)
    found = mean([one, tiny, tiny], [1.0, 1.0, 1.0])
    assert found.dtype == torch.bfloat16
    assert found.item() == 258.0  # 256 + 1 is 256 in bfloat16
    assert mean([one.double(), tiny.double()], [0.25, 0.75]).item() == 64.75


def test_parameters_of_places_unions_and_what_is_shared_are_named_apart() -> None:
    model = prepared("bert", one="compacter[reduction_factor=4]|vera[r=4]")
    names = parameters_of(model.adapter_runtime.injection, "one")
    assert (None, "1", "vera_a") in names
    assert ((0, "attn.q"), "1", "vera_d") in names
    assert {number for _, number, _ in names} == {"0", "1"}
    assert len({id(p) for p in names.values()}) == len(names)
    assert len(names) == len(model.adapter_runtime.injection.parameters("one"))


def test_means_are_written_where_they_were_read() -> None:
    model = prepared("bert", a="seq_bn", b="seq_bn", c="seq_bn")
    injection = model.adapter_runtime.injection
    values = mean_parameters(injection, ["a", "b"], [0.25, 0.75])
    write_parameters(injection, "c", values)
    a, b, c = (parameters_of(injection, name) for name in "abc")
    for own, found in c.items():
        torch.testing.assert_close(found, 0.25 * a[own] + 0.75 * b[own], atol=1e-6, rtol=0)
    assert mean_parameters(injection, ["a", "b"], [0.25, 0.75], without={""}) == {}


def test_different_configs_are_refused() -> None:
    model = prepared("bert", a="seq_bn", b="seq_bn", c="par_bn")
    configs = model.adapter_runtime.injection.configs
    assert check_equal({"a": configs["a"], "b": configs["b"]}) == configs["a"]
    with pytest.raises(AttachError, match="'c' has another config than 'a'"):
        check_equal(dict(configs))


def test_reflections_have_no_mean() -> None:
    check_has_mean(adapter_lib.parse_config("oft|seq_bn"))
    with pytest.raises(AttachError, match="The parameters of hra cannot be averaged: u and -u"):
        check_has_mean(adapter_lib.parse_config("seq_bn|hra"))
