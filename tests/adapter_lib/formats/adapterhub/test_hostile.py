"""Hostile and broken files: one clear error each, nothing executed, nothing large allocated."""

import io
import os
import pickle
import subprocess
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import torch

from adapter_lib.spec.errors import AdapterLibError, LoadError
from tests.adapter_lib.formats.adapterhub import folders

_HUGE = 10**9


class _Payload:
    """What a pickle runs when it is read without care."""

    def __init__(self, command: Callable[..., object], *arguments: object) -> None:
        self._call = command, arguments

    def __reduce__(self) -> tuple[Callable[..., object], tuple[object, ...]]:
        return self._call


@contextmanager
def _nothing_large(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Refuses the making of anything that is larger than the tests' models."""
    plain = torch.empty

    def empty(*size: Any, **settings: Any) -> torch.Tensor:
        shape = torch.Size(size[0] if size and not isinstance(size[0], int) else size)
        assert shape.numel() < 10**7, f"an empty tensor of {list(shape)}"
        return plain(*size, **settings)

    with monkeypatch.context() as patched:
        patched.setattr(torch, "empty", empty)
        yield


def _pickled(folder: Path, content: object) -> None:
    (folder / folders.WEIGHTS).unlink()
    torch.save(content, folder / folders.PICKLE)


@pytest.mark.parametrize("as_archive", [True, False])
def test_a_payload_is_not_executed(tmp_path: Path, *, as_archive: bool) -> None:
    folders.written(tmp_path, "seq_bn")
    marker = tmp_path / "executed"
    found: dict[str, object] = dict(folders.tensors(tmp_path))
    found["more"] = _Payload(os.system, f"touch {marker}")
    (tmp_path / folders.WEIGHTS).unlink()
    torch.save(found, tmp_path / folders.PICKLE, _use_new_zipfile_serialization=as_archive)
    with pytest.raises(LoadError, match=r"pytorch_adapter\.bin cannot be read as tensors alone"):
        folders.loaded(tmp_path)
    assert not marker.exists()
    # The payload is a real one: an unguarded reader runs it.
    torch.load(tmp_path / folders.PICKLE, weights_only=False)
    assert marker.exists()


@pytest.mark.parametrize("call", [subprocess.check_output, eval])
def test_a_bare_pickle(tmp_path: Path, call: Callable[..., object]) -> None:
    folders.written(tmp_path, "seq_bn")
    (tmp_path / folders.WEIGHTS).unlink()
    (tmp_path / folders.PICKLE).write_bytes(pickle.dumps(_Payload(call, "1 / 0")))
    with pytest.raises(LoadError, match="cannot be read as tensors alone"):
        folders.loaded(tmp_path)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ([1, 2], "holds a list, not a dict of tensors"),
        ({"a": [torch.zeros(2)]}, "holds list under 'a'"),
        ({3: torch.zeros(2)}, "holds Tensor under '3'"),
        ({"a": torch.zeros(1).expand(_HUGE)}, "'a' of .* says it is larger than the file"),
    ],
)
def test_a_pickle_of_something_else(tmp_path: Path, content: object, sentence: str) -> None:
    folders.written(tmp_path, "seq_bn")
    _pickled(tmp_path, content)
    with pytest.raises(LoadError, match=sentence):
        folders.loaded(tmp_path)


def test_a_pickle_that_swells(tmp_path: Path) -> None:
    """torch's archives are not compressed; one that is could unpack to anything."""
    folders.written(tmp_path, "seq_bn")
    _pickled(tmp_path, {"a": torch.zeros(10**6)})
    plain, swelling = tmp_path / folders.PICKLE, io.BytesIO()
    with zipfile.ZipFile(plain) as source, zipfile.ZipFile(swelling, "w", zipfile.ZIP_DEFLATED) as sink:
        for entry in source.infolist():
            sink.writestr(entry.filename, source.read(entry))
    plain.write_bytes(swelling.getvalue())
    with pytest.raises(LoadError, match="would unpack to 40"):
        folders.loaded(tmp_path)


@pytest.mark.parametrize("name", [folders.WEIGHTS, folders.PICKLE, folders.CONFIG])
@pytest.mark.parametrize("share", [0.0, 0.3, 0.95])
def test_a_truncated_file(tmp_path: Path, name: str, share: float) -> None:
    folders.written(tmp_path, "seq_bn")
    if name == folders.PICKLE:
        _pickled(tmp_path, folders.tensors(tmp_path))
    whole = (tmp_path / name).read_bytes()
    (tmp_path / name).write_bytes(whole[: int(share * len(whole))])
    with pytest.raises(Exception, match=r"cannot be read|is damaged|is not valid JSON") as caught:
        folders.loaded(tmp_path)
    assert type(caught.value).__module__.startswith("adapter_lib.")


@pytest.mark.parametrize(
    ("config", "field"),
    [
        ("lora", "r"),
        ("lora", "alpha"),
        ("dora[scales_bias=true]", "r"),
        ("vera[r=4]", "r"),
        ("mtl_lora", "n_up_projection"),
        ("seq_bn", "reduction_factor"),
        ("compacter[reduction_factor=8]", "phm_rank"),
        ("prefix_tuning[prefix_length=3, bottleneck_size=8]", "prefix_length"),
        ("prefix_tuning[prefix_length=3, bottleneck_size=8]", "bottleneck_size"),
        ("prefix_tuning_flat[prefix_length=3]", "prefix_length"),
        ("loreft[r=2]", "r"),
    ],
)
@pytest.mark.parametrize("strict", [True, False])
def test_a_number_that_is_too_large(
    tmp_path: Path, config: str, field: str, monkeypatch: pytest.MonkeyPatch, *, strict: bool
) -> None:
    folders.written(tmp_path, config)
    value = 1e-9 if field == "reduction_factor" else _HUGE
    folders.alter(tmp_path, lambda values: values["config"].update({field: value}))
    model = folders.model()
    with _nothing_large(monkeypatch):
        if field == "alpha":  # nothing is as large as that: only the numbers are
            model.load_adapter(tmp_path, name="b", strict=strict)
            return
        with pytest.raises(AdapterLibError) as caught:
            model.load_adapter(tmp_path, name="b", strict=strict)
    assert strict or "strict=False" not in str(caught.value)
    assert model.adapter_runtime.injection.configs == {}


def test_shared_projections_of_another_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A dense VeRA is a product: its sizes are checked before it is taken."""
    folders.written(tmp_path, "lora[r=2]")
    found = folders.tensors(tmp_path)
    wide = {key.replace("lora_A", "vera_D"): torch.zeros(10**5, 1) for key in found if "lora_A" in key}
    wide |= {"bert.shared_parameters.a.lora_A": torch.zeros(1, 10**5)}
    wide |= {"bert.shared_parameters.a.lora_B": torch.zeros(1, 1)}
    folders.rewrite(tmp_path, wide)
    with _nothing_large(monkeypatch), pytest.raises(LoadError, match=r"has the shape \[1, 100000\]"):
        folders.loaded(tmp_path)
