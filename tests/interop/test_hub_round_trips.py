"""native → AdapterHub → native: the same config, the same tensors, the same outputs."""

from pathlib import Path

import pytest
import torch

from adapter_lib.formats.conversion import parameters_of
from adapter_lib.formats.opening import detect
from adapter_lib.spec.errors import LoadError
from tests.adapter_lib.zoo.spreading import spread
from tests.interop import hub_exports as exports
from tests.interop.hub_exports import REFUSED, REWRITTEN

_TOLERANCE = 1e-6


@pytest.mark.parametrize(("family", "name"), spread(exports.cases(), 2))
def test_an_adapter_comes_back(family: str, name: str, tmp_path: Path) -> None:
    first, second = exports.with_adapter(family, name), exports.prepared(family)
    injection = first.adapter_runtime.injection
    before = {key: value.detach().clone() for key, value in parameters_of(injection, "a").items()}
    exports.exported(first, tmp_path)
    assert detect(tmp_path) == "adapterhub"
    report = second.load_adapter(tmp_path, name="b")
    assert (report.format, report.missing, report.unexpected, report.wrong_shape) == (
        "adapterhub",
        (),
        (),
        (),
    )
    after = parameters_of(second.adapter_runtime.injection, "b")
    assert set(report.matched) == set(after)
    if name not in REWRITTEN:
        assert set(after) == set(before)
        for key, value in before.items():
            if "projection" not in key:  # of an orthonormal R there are many forms
                torch.testing.assert_close(after[key], value, atol=_TOLERANCE, rtol=0)
    second.set_active_adapters("b")
    case = exports.case_of(family)
    theirs, ours = exports.outputs(second, case), exports.outputs(first, case)
    for key, value in ours.items():
        assert (value - case.base_outputs()[key]).abs().max() > 0.01
        torch.testing.assert_close(theirs[key], value, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize(("family", "name"), list(exports.heads()))
def test_a_head_comes_back(family: str, name: str, tmp_path: Path) -> None:
    first, second = exports.with_head(family, name), exports.prepared(family)
    report = exports.exported(first, tmp_path)
    assert report.set_aside == {}
    aside = second.load_adapter(tmp_path, name="b").set_aside
    assert set(aside.values()) <= {"the model's input embeddings again"}
    second.set_active_adapters("b")
    case = exports.case_of(family)
    theirs, ours = exports.outputs(second, case), exports.outputs(first, case)
    assert "last_hidden_state" not in ours
    for key, value in ours.items():
        torch.testing.assert_close(theirs[key], value, atol=1e-5, rtol=1e-5)
    one, other = (model.adapter_runtime.heads.get(n).spec for model, n in ((first, "a"), (second, "b")))
    assert one == other


@pytest.mark.parametrize(("family", "name"), sorted(REFUSED))
def test_what_the_peer_does_not_have_is_refused(family: str, name: str, tmp_path: Path) -> None:
    with pytest.raises(LoadError, match=REFUSED[family, name]):
        exports.exported(exports.with_adapter(family, name), tmp_path)
    assert not list(tmp_path.iterdir())
