"""MTL-LoRA against W + s Σ_i softmax(w / τ)_i B_i Λ A, and parameters that tasks share."""

import copy
import pickle
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor

import adapter_lib
from adapter_lib import AdapterSetup
from adapter_lib.spec.composition import MultiTask
from adapter_lib.spec.errors import AttachError, UnknownNameError
from tests.adapter_lib.methods.weights import (
    ALL,
    GIVEN,
    Numbers,
    changed,
    check,
    check_fresh,
    check_merging,
    doubled,
    hidden,
    tensors,
)
from tests.adapter_lib.tiny import build, prepared, shake

FAMILIES = ("bert", "gpt2", "llama")
KINDS = ("singular_values", "linear")


def _config(kind: str, targets: str = "targets=[q, v]") -> str:
    settings = f"r=4, alpha=8, n_up_projection=3, weights_sharpness=0.5, task_specific_matrix_type={kind}"
    return f"mtl_lora[{settings}, {targets}]"


def _rule(found: Numbers, own: Any) -> tuple[Tensor, Tensor | None]:
    powers = (own["weights"] / 0.5).exp()
    task = own["task_matrix"] if own["task_matrix"].dim() == 2 else torch.diag(own["task_matrix"])
    update = sum(
        p / powers.sum() * b @ task @ own["lora_a"] for p, b in zip(powers, own["lora_b"], strict=True)
    )
    return found.weight + 2 * update, found.bias


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("kind", KINDS)
def test_it_is_the_weighted_sum_of_its_updates(family: str, kind: str) -> None:
    model = doubled(family, one=_config(kind, ALL))
    model.active_adapters = "one"
    check(hidden(model), hidden(changed(family, _rule, tensors(model, "one"))))


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("kind", KINDS)
def test_fresh_it_is_the_base_and_merged_it_is_the_forward(family: str, kind: str) -> None:
    check_fresh(family, _config(kind))
    check_merging(family, _config(kind))


def test_starting_values_can_tell_the_up_projections_apart() -> None:
    model: Any = adapter_lib.init(build("bert"))
    model.add_adapter("one", _config("singular_values"))
    model.add_adapter("two", _config("linear"))
    one, two = (model.adapter_runtime.injection.members(name)[0] for name in ("one", "two"))
    assert torch.equal(one.task_matrix, torch.ones(4))
    assert torch.equal(two.task_matrix, torch.eye(4))
    assert len(set(one.weights.tolist())) == 3
    assert one.weights.abs().max() <= 3**-0.5


def _shared(*names: str, method: str = _config("singular_values"), **others: str) -> Any:
    model = doubled("bert", **dict.fromkeys(names, method), **others)
    assert model.share_parameters(names) == 8
    return model


def _ties(model: Any, *names: str) -> set[bool]:
    """Whether the named adapters hold the same A and B, place by place."""
    parts = [model.adapter_runtime.injection.members(name) for name in names]
    return {
        all(p.lora_a is together[0].lora_a and p.lora_b is together[0].lora_b for p in together)
        for together in zip(*parts, strict=True)
    }


def test_tasks_share_what_is_common_and_keep_what_is_theirs() -> None:
    model = doubled("bert", a=_config("linear"), b=_config("linear"), c=_config("linear"))
    before = tensors(model, "b")
    model.share_parameters(["a", "b", "c"], reference="b")
    assert _ties(model, "a", "b", "c") == {True}
    for name in ("a", "c"):
        for key, own in tensors(model, name).items():
            assert torch.equal(own["lora_a"], before[key]["lora_a"])
            assert not torch.equal(own["task_matrix"], before[key]["task_matrix"])


def test_under_multi_task_every_row_has_its_task_and_all_train_what_is_shared() -> None:
    model = _shared("a", "b")
    alone = []
    for name in ("a", "b"):
        with AdapterSetup(model, name), torch.no_grad():
            alone.append(model(**GIVEN).last_hidden_state)
    model.active_adapters = MultiTask("a", "b")
    tasks = [1, 0, 1]
    with torch.no_grad():
        found = model(**GIVEN, task_ids=torch.tensor(tasks)).last_hidden_state
    check(found, torch.stack([alone[task][row] for row, task in enumerate(tasks)]))

    model.train_adapter(MultiTask("a", "b"))
    model(**GIVEN, task_ids=torch.tensor(tasks)).last_hidden_state.square().sum().backward()
    named = dict(model.named_parameters())
    trained = {name for name, parameter in named.items() if parameter.requires_grad}
    # A and B once, Λ and w for each task, at each of the four places.
    assert len(trained) == 4 * (2 + 2 + 2)
    assert all(named[name].grad is not None and named[name].grad.any() for name in trained)


def test_unsharing_gives_copies() -> None:
    model = _shared("a", "b", "c")
    before = tensors(model, "b")
    assert model.unshare_parameters(["b"]) == 8
    assert _ties(model, "a", "c") == {True}
    assert _ties(model, "a", "b") == {False}
    for key, own in tensors(model, "b").items():
        assert all(torch.equal(own[name], before[key][name]) for name in own)
    assert model.unshare_parameters(["b"]) == 0
    shake(model, "b")
    assert all(torch.equal(tensors(model, "a")[key]["lora_a"], before[key]["lora_a"]) for key in before)


def test_copies_and_pickles_share_among_themselves_alone() -> None:
    model = _shared("a", "b")
    for twin in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):  # noqa: S301  (our own bytes)
        assert _ties(twin, "a", "b") == {True}
        own = model.adapter_runtime.injection.members("a")[0].lora_a
        assert twin.adapter_runtime.injection.members("a")[0].lora_a is not own


def test_who_is_deleted_leaves_the_others_what_they_share() -> None:
    model = _shared("a", "b", "c")
    model.active_adapters = "b"
    expected = hidden(model)
    model.delete_adapter("a")
    assert _ties(model, "b", "c") == {True}
    check(hidden(model), expected, within=0)


def test_each_is_saved_whole_and_shared_again(tmp_path: Path) -> None:
    model = _shared("a", "b")
    outputs = []
    for name in ("a", "b"):
        model.save_adapter(tmp_path / name, name)
        model.active_adapters = name
        outputs.append(hidden(model))
    fresh: Any = adapter_lib.init(build("bert").double())
    for name in ("a", "b"):
        fresh.load_adapter(tmp_path / name)
    assert _ties(fresh, "a", "b") == {False}
    fresh.share_parameters(["a", "b"])
    assert _ties(fresh, "a", "b") == {True}
    for name, expected in zip(("a", "b"), outputs, strict=True):
        fresh.active_adapters = name
        check(hidden(fresh), expected, within=0)


def test_a_saved_backbone_has_none_of_it_and_a_checkpoint_all(tmp_path: Path) -> None:
    model = _shared("a", "b")
    model.save_pretrained(tmp_path / "backbone")
    assert not [
        key for key in load_file(tmp_path / "backbone" / "model.safetensors") if "adapter_lib_" in key
    ]
    model.save_pretrained(tmp_path / "checkpoint-5")
    kept = load_file(tmp_path / "checkpoint-5" / "model.safetensors")
    resumed = _shared("a", "b")
    shake(resumed, "a")
    resumed.load_state_dict(kept, strict=False)
    for name in ("a", "b"):
        for key, own in tensors(model, name).items():
            assert all(torch.equal(value, tensors(resumed, name)[key][n]) for n, value in own.items())


def test_what_cannot_be_shared_is_told() -> None:
    model = prepared("bert", a=_config("linear"), b=_config("linear", "targets=[q]"), lora="lora")
    with pytest.raises(AttachError, match="'b' cannot share parameters with 'a': they differ"):
        model.share_parameters(["a", "b"])
    with pytest.raises(AttachError, match="'lora' has no parameters that adapters can share"):
        model.share_parameters(["lora", "a"])
    with pytest.raises(UnknownNameError, match="no adapter 'x'"):
        model.share_parameters(["a", "x"])
    assert _ties(model, "a") == {True}
