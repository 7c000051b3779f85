"""Which format a folder holds."""

import json
from pathlib import Path

import pytest

from adapter_lib.formats.opening import detect, is_foreign
from adapter_lib.spec.errors import ConfigError, LoadError
from tests.adapter_lib.formats.adapterhub import folders


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"format": "adapter_lib"}, "native"),
        ({"peft_type": "LORA", "r": 8}, "peft"),
        ({"config": {}, "version": "adapters.1.3.0"}, "adapterhub"),
        ({"config": {}, "type": "text_task"}, "adapterhub"),
    ],
)
def test_what_the_config_says(tmp_path: Path, values: dict[str, object], expected: str) -> None:
    (tmp_path / "adapter_config.json").write_text(json.dumps(values), encoding="utf-8")
    assert detect(tmp_path) == expected
    assert is_foreign(tmp_path) is (expected != "native")


@pytest.mark.parametrize(
    ("content", "sentence"),
    [("{}", "of no format known here"), ("[]", "must hold a JSON object"), ("{", "is not valid JSON")],
)
def test_what_is_no_adapter(tmp_path: Path, content: str, sentence: str) -> None:
    (tmp_path / "adapter_config.json").write_text(content, encoding="utf-8")
    with pytest.raises(LoadError, match=sentence):
        detect(tmp_path)
    assert not is_foreign(tmp_path)


def test_a_folder_of_folders(tmp_path: Path) -> None:
    with pytest.raises(LoadError, match=r"has no adapter_config\.json\. Is this the folder of an adapter\?$"):
        detect(tmp_path)
    folders.written(tmp_path / "sst2", "seq_bn")
    with pytest.raises(LoadError, match="There is one in sst2: name that"):
        detect(tmp_path)


def test_saving_in_a_format_that_there_is_not(tmp_path: Path) -> None:
    model = folders.model()
    model.add_adapter("a", "lora")
    with pytest.raises(ConfigError, match="format must be one of native, adapterhub, peft, not 'keras'"):
        model.save_adapter(tmp_path, "a", format="keras")
