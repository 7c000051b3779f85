import pytest

from adapter_lib.spec.configs import config_to_dict
from adapter_lib.spec.strings import parse_config
from hubsite.search.config_text import config_text


@pytest.mark.parametrize(
    ("config", "text"),
    [
        ("lora[r=16]", "r=16 q,v"),
        ("lora[targets=[q,down]]", "r=8 q,down"),
        ("seq_bn", "rf=16 relu"),
        ('seq_bn[reduction_factor={"0": 8, "default": 16}]', "relu"),
    ],
)
def test_the_telling_values_of_real_configurations(config: str, text: str) -> None:
    assert config_text(config_to_dict(parse_config(config))) == text


def test_a_configuration_of_other_shapes_is_no_fault() -> None:
    assert config_text({"r": True, "targets": "q", "non_linearity": 3}) == ""
