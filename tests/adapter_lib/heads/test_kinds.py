"""What holds for heads of every type: files, gradients, shapes, counted losses."""

from pathlib import Path
from typing import Any

import pytest
import torch

from adapter_lib.spec.fields import Fields
from adapter_lib.spec.heads import read_head
from tests.adapter_lib.heads.kinds import KINDS, model_with, scores

every_kind = pytest.mark.parametrize("kind", list(KINDS))


@every_kind
def test_its_parameters_are_those_that_its_description_tells(kind: str) -> None:
    head = model_with(kind).adapter_runtime.heads.get("one")
    assert {key: tuple(value.shape) for key, value in head.named_parameters()} == head.spec.shapes(
        head.hidden_size
    )
    assert read_head(Fields(head.spec.to_dict())) == head.spec


@every_kind
def test_training_it_trains_it_and_its_adapter_only(kind: str) -> None:
    model = model_with(kind)
    model.train_adapter("one")
    model.eval()
    batch = KINDS[kind].feed() | KINDS[kind].labels()
    before = model(**batch).loss
    before.backward()
    trained = {name for name, p in model.named_parameters() if p.requires_grad}
    own = {name for name, _ in model.named_parameters() if "head:one" in name or "adapter:one" in name}
    assert trained == own
    assert all(p.grad is not None for p in model.parameters() if p.requires_grad)
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.grad is not None:
                parameter -= 0.01 * parameter.grad
    assert model(**batch).loss < before


@every_kind
def test_it_travels_with_its_adapter(kind: str, tmp_path: Path) -> None:
    model = model_with(kind)
    batch = KINDS[kind].feed()
    expected = scores(model, batch)
    model.save_adapter(tmp_path / "one", "one")
    other: Any = model_with(kind)
    with torch.no_grad():
        for parameter in other.adapter_runtime.heads.parameters():
            parameter.zero_()
    report = other.load_adapter(tmp_path / "one", name="two")
    assert (report.missing, report.unexpected, report.wrong_shape) == ((), (), ())
    other.active_adapters = "two"
    assert other.active_head == "two"
    assert torch.equal(scores(other, batch), expected)
    assert other.adapter_runtime.heads.get("two").spec == model.adapter_runtime.heads.get("one").spec


@every_kind
def test_it_can_be_saved_alone(kind: str, tmp_path: Path) -> None:
    model = model_with(kind)
    expected = scores(model, KINDS[kind].feed())
    model.save_head(tmp_path / "head", "one")
    assert {path.name for path in (tmp_path / "head").iterdir()} == {"head_config.json", "head.safetensors"}
    model.load_head(tmp_path / "head", name="two")
    model.active_head = "two"
    assert torch.equal(scores(model, KINDS[kind].feed()), expected)


@every_kind
def test_a_trainers_count_makes_a_mean_of_a_sum(kind: str) -> None:
    model = model_with(kind)
    batch = KINDS[kind].feed() | KINDS[kind].labels()
    mean = model(**batch).loss
    counted = model(**batch, num_items_in_batch=torch.tensor(1000)).loss
    assert not torch.isclose(counted, mean)
    twice = model(**batch, num_items_in_batch=2000).loss
    torch.testing.assert_close(counted, twice * 2)


@every_kind
def test_a_tuple_is_given_when_asked_for(kind: str) -> None:
    model = model_with(kind)
    batch = KINDS[kind].feed() | KINDS[kind].labels()
    out = model(**batch)
    loss, first, *_ = model(**batch, return_dict=False)
    assert torch.equal(loss, out.loss)
    assert torch.equal(first, next(value for key, value in out.items() if "logits" in key))
