"""Files that mean harm, or are broken: one clear error each, nothing executed, nothing large allocated."""

import contextlib
import json
import os
import resource
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from adapter_lib.formats.conversion import check_imported
from adapter_lib.formats.peft.checkpoint import Checkpoint
from adapter_lib.formats.peft.importing.reading import convert
from adapter_lib.formats.peft.settings import Settings
from adapter_lib.spec.errors import AdapterLibError, LoadError
from tests.adapter_lib.formats.peft.checkpoints import PREFIX, QUERY, WIDTH, Tensors, bert, lora, read, write
from tests.interop import exports
from tests.interop.reading import reference

_HUGE = 10**9
_KEY = PREFIX + QUERY
_TOKENS = f"{PREFIX}embeddings.word_embeddings.trainable_tokens_delta"
_ROOM = 200 * 1024  # KiB


class _Payload:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return os.mkdir, (str(self.path),)


def _pickled(folder: Path, content: object, **settings: Any) -> Path:
    write(folder, lora(), **settings)
    (folder / "adapter_model.safetensors").unlink()
    torch.save(content, folder / "adapter_model.bin")
    return folder


def test_a_pickled_file_of_tensors_is_read(tmp_path: Path) -> None:
    found = read(bert(), _pickled(tmp_path, lora()))
    assert len(found.tensors) == 4


def test_code_in_a_pickled_file_is_not_executed(tmp_path: Path) -> None:
    payload = tmp_path / "executed"
    folder = _pickled(tmp_path / "folder", {**lora(), "evil": _Payload(payload)})
    with pytest.raises(LoadError, match="cannot be read as tensors alone"):
        read(bert(), folder)
    assert not payload.exists()


@pytest.mark.parametrize("name", ["adapter_model.safetensors", "adapter_model.bin"])
@pytest.mark.parametrize("kept", [0, 5, 300])
def test_a_truncated_file_is_refused(name: str, kept: int, tmp_path: Path) -> None:
    folder = write(tmp_path, lora()) if name.endswith("safetensors") else _pickled(tmp_path, lora())
    path = folder / name
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(LoadError, match=name):
        read(bert(), folder)


def test_weights_that_are_not_there_are_named(tmp_path: Path) -> None:
    (write(tmp_path, lora()) / "adapter_model.safetensors").unlink()
    with pytest.raises(LoadError, match=r"neither adapter_model\.safetensors nor adapter_model\.bin"):
        read(bert(), tmp_path)


def test_numbers_that_are_none_are_refused(tmp_path: Path) -> None:
    tensors = {**lora(), f"{_KEY}.lora_A.weight": torch.zeros(2, WIDTH, dtype=torch.int64)}
    with pytest.raises(LoadError, match=r"lora_A.weight' is torch.int64, not floating point"):
        read(bert(), write(tmp_path, tensors))


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "null", '{"peft_type": "LORA", "peft_type": "VERA"}', "[" * 5000, "{" + " " * 17_000_000],
)
def test_a_broken_config_is_refused(text: str, tmp_path: Path) -> None:
    (write(tmp_path, lora()) / "adapter_config.json").write_text(text)
    with pytest.raises(LoadError, match=r"adapter_config\.json"):
        read(bert(), tmp_path)


@pytest.mark.parametrize(
    ("key", "value", "sentence"),
    [
        ("r", "large", "'r' must be a whole number"),
        ("r", _HUGE, "has the rank 2 in the file, and adapter_config.json says 1e\\+09"),
        ("r", 2.5, "'r' must be a whole number"),
        ("lora_alpha", [1], "'lora_alpha' must be a number"),
        ("use_rslora", "yes", "'use_rslora' must be true or false"),
        ("peft_type", 7, "'peft_type' must be text"),
        ("peft_type", None, "no method here reads ''"),
        ("rank_pattern", [1], "'rank_pattern' must be an object"),
        ("rank_pattern", {"(a+)+": 3}, "repeats a group"),
        ("rank_pattern", {"a" * 600: 3}, "longer than 500 characters"),
        ("rank_pattern", {"(": 3}, "no regular expression"),
        ("alpha_pattern", {"query": "x"}, "'alpha_pattern.query' must be a number"),
        ("base_model_name_or_path", {}, "'base_model_name_or_path' must be text"),
    ],
)
def test_a_setting_of_another_type_is_named(key: str, value: object, sentence: str, tmp_path: Path) -> None:
    with pytest.raises(LoadError, match=sentence):
        read(bert(), write(tmp_path, lora(), **{key: value}))


def _vera() -> Tensors:
    return {f"{_KEY}.vera_lambda_d": torch.ones(2), f"{_KEY}.vera_lambda_b": torch.ones(WIDTH)}


def _adalora() -> Tensors:
    return {
        f"{_KEY}.lora_A": torch.ones(2, WIDTH),
        f"{_KEY}.lora_B": torch.ones(WIDTH, 2),
        f"{_KEY}.lora_E": torch.ones(2, 1),
    }


@pytest.mark.parametrize(
    ("kind", "tensors", "settings"),
    [
        ("VERA", _vera(), {"r": _HUGE, "save_projection": False}),
        ("ADALORA", _adalora(), {"init_r": _HUGE}),
        ("HRA", {f"{_KEY}.hra_u": torch.ones(WIDTH, 2)}, {"r": _HUGE}),
        ("PROMPT_TUNING", {"prompt_embeddings": torch.ones(2, WIDTH)}, {"num_virtual_tokens": _HUGE}),
        ("PREFIX_TUNING", {"prompt_embeddings": torch.ones(2, 4 * WIDTH)}, {"num_virtual_tokens": _HUGE}),
        ("LOHA", {f"{_KEY}.hada_w1_a": torch.ones(WIDTH, 2)}, {"r": _HUGE, "alpha": 8}),
        ("LOKR", {f"{_KEY}.lokr_w1": torch.ones(4, 4)}, {"r": _HUGE, "alpha": 8}),
        ("TRAINABLE_TOKENS", {_TOKENS: torch.ones(1, WIDTH)},
         {"token_indices": [_HUGE]}),
        ("OFT", {f"{_KEY}.oft_R.weight": torch.ones(2, 7)}, {"oft_block_size": _HUGE}),
    ],
)  # fmt: skip
def test_a_huge_number_allocates_nothing(
    kind: str, tensors: Tensors, settings: dict[str, Any], tmp_path: Path
) -> None:
    model = bert()
    write(tmp_path / "huge", tensors, peft_type=kind, **settings)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(AdapterLibError):
        model.load_adapter(tmp_path / "huge")
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < _ROOM
    assert "huge" not in model.adapter_runtime.injection.configs


# One recorded case for every kind that is read.
_KINDS = (
    "adalora", "boft", "dora", "fourierft", "hra", "ia3", "ln_tuning", "loha", "lokr", "lora_tokens", "oft",
    "p_tuning_mlp", "prefix_tuning", "prompt_tuning", "trainable_tokens", "vera",
)  # fmt: skip
_CHANGES: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {
    "no number": lambda t: torch.tensor(1.0),
    "empty": lambda t: t[:0],
    "flat": lambda t: t.flatten(),
    "half": lambda t: t[: max(1, len(t) // 2)],
    "longer": lambda t: torch.cat([t, t]),
    "one more": lambda t: t[None],
}


@pytest.mark.parametrize("name", _KINDS)
def test_whatever_is_changed_gives_a_sentence_or_an_adapter(name: str) -> None:
    """No other error comes out, and what comes out as an adapter fits the model."""
    case = reference("peft", "bert", name)
    atlas = exports.prepared("bert").adapter_runtime.injection.atlas
    tensors, settings = load_file(case.adapter / "adapter_model.safetensors"), Settings(case.config())
    tried = 0
    for key in (*list(tensors)[:2], *list(tensors)[-1:]):
        for change in _CHANGES.values():
            given = Checkpoint.of(settings, {**tensors, key: change(tensors[key])})
            with contextlib.suppress(AdapterLibError):
                check_imported(convert(given, atlas, "a"), atlas, Path("a"), strict=True)
            tried += 1
    assert tried >= len(_CHANGES)


def test_what_was_refused_leaves_the_model_as_it_was(tmp_path: Path) -> None:
    model = bert()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    key = f"{PREFIX}embeddings.word_embeddings.weight"
    write(tmp_path / "bad", {**lora(), key: torch.zeros(130, WIDTH)})
    with pytest.raises(LoadError):
        model.load_adapter(tmp_path / "bad")
    assert set(model.state_dict()) == set(before)
    assert all(torch.equal(model.state_dict()[name], value) for name, value in before.items())


def test_a_module_of_ours_is_no_target(tmp_path: Path) -> None:
    model = bert()
    model.add_adapter("own", "lora[r=2]")
    path = f"{QUERY}.adapter_lib_leaf"
    assert model.get_submodule(path) is not None
    save = {
        f"{PREFIX}{path}.lora_A.weight": torch.ones(2, WIDTH),
        f"{PREFIX}{path}.lora_B.weight": torch.ones(2, 2),
    }
    with pytest.raises(LoadError, match="no module"):
        read(model, write(tmp_path, save))


def test_a_tensor_file_with_the_wrong_keys_is_refused(tmp_path: Path) -> None:
    write(tmp_path, lora())
    save_file({"weights": torch.ones(3)}, tmp_path / "adapter_model.safetensors")
    with pytest.raises(LoadError, match="does not explain: 'weights'"):
        read(bert(), tmp_path)
    assert json.loads((tmp_path / "adapter_config.json").read_text())["peft_type"] == "LORA"
