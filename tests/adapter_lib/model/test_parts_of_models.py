"""Sub-models of larger ones and plain modules: addressed by path, by name, or by a table of the user's."""

from pathlib import Path
from typing import Any

import pytest
import torch
import transformers as hf
from torch import Tensor, nn

import adapter_lib
from adapter_lib import AdapterSetup, Parallel
from adapter_lib.families import FamilySpec, LayerSpec, Site, Tower
from adapter_lib.spec.errors import AttachError, FamilyError
from tests.adapter_lib.tiny import shake
from tests.adapter_lib.zoo import MODELS, output

X = torch.randn(3, 5, 8, generator=torch.Generator().manual_seed(1))


class Block(nn.Module):
    """A pre-norm feed-forward block that no table knows."""

    def __init__(self) -> None:
        super().__init__()
        self.norm, self.up, self.down = nn.LayerNorm(8), nn.Linear(8, 16), nn.Linear(16, 8)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.down(torch.relu(self.up(self.norm(x))))


class Plain(nn.Module):
    """Two blocks and a way out."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.blocks = nn.ModuleList(Block() for _ in range(2))
        self.out = nn.Linear(8, 2)

    def forward(self, x: Tensor) -> Tensor:
        for block in self.blocks:
            x = block(x)
        found: Tensor = self.out(x)
        return found


TABLE = FamilySpec(
    "plain",
    (),
    (Tower("blocks", LayerSpec(up="up", down="down", ffn=Site("down", res="norm"))),),
)


@pytest.mark.parametrize("targets", ["all-linear", "[up, out]", '["re:blocks.[01].down"]', "[blocks.0.up]"])
def test_a_plain_module_takes_adapters_by_name(targets: str) -> None:
    base = Plain()
    model: Any = adapter_lib.init(Plain())
    model.add_adapter("a", f"lora[r=2, targets={targets}]")
    assert torch.equal(model(X), base(X))
    shake(model, "a")
    with AdapterSetup(model, "a"):
        adapted = model(X)
    assert not torch.allclose(adapted, base(X), atol=1e-3)
    model.merge_adapter("a")
    torch.testing.assert_close(model(X), adapted, atol=1e-5, rtol=0)
    adapter_lib.detach(model)
    assert type(model) is Plain
    assert torch.equal(model(X), base(X))
    assert list(model.state_dict()) == list(base.state_dict())


def test_a_plain_modules_adapter_is_saved_and_knows_its_module(tmp_path: Path) -> None:
    model: Any = adapter_lib.init(Plain())
    model.add_adapter("a", "lora[r=2, targets=all-linear]")
    shake(model, "a")
    model.active_adapters = "a"
    model.save_adapter(tmp_path / "a", "a")
    other: Any = adapter_lib.init(Plain())
    report = other.load_adapter(tmp_path / "a")
    assert len(report.matched) == 10
    other.active_adapters = "a"
    assert torch.equal(other(X), model(X))
    changed = Plain()
    with torch.no_grad():
        changed.out.weight.neg_()
    with pytest.raises(adapter_lib.AdapterLibError, match="fingerprint"):
        adapter_lib.init(changed).load_adapter(tmp_path / "a")


def test_a_plain_module_with_a_table_has_sites() -> None:
    model: Any = adapter_lib.init(Plain(), family=TABLE)
    base = Plain()(X)
    for name in ("a", "b"):
        model.add_adapter(name, "seq_bn[reduction_factor=2]")
        shake(model, name)
    runs = []
    for name in ("a", "b"):
        with AdapterSetup(model, name):
            runs.append(model(X))
            assert not torch.allclose(runs[-1], base, atol=1e-3)
    with AdapterSetup(model, Parallel("a", "b")):
        torch.testing.assert_close(model(X), torch.cat(runs), atol=1e-5, rtol=0)


def test_what_a_plain_module_does_not_have_is_said() -> None:
    model: Any = adapter_lib.init(Plain())
    with pytest.raises(FamilyError, match=r"module has no attn\.q or xattn\.q for lora to act on"):
        model.add_adapter("a", "lora")
    with pytest.raises(FamilyError, match="module that 'nowhere' matches"):
        model.add_adapter("a", "lora[targets=[nowhere]]")
    with pytest.raises(AttachError, match="tells a hidden size"):
        model.add_classification_head("a", num_labels=2)
    with pytest.raises(FamilyError, match="no module 'nowhere' to adapt"):
        adapter_lib.init(Plain(), at="nowhere")


@pytest.mark.parametrize(
    ("family", "path"), [("clip", "text_model"), ("clip", "vision_model"), ("llava", "language_model")]
)
def test_a_sub_model_is_adapted_where_it_stands(family: str, path: str) -> None:
    tiny = MODELS[family]
    given = tiny.inputs()
    base = output(tiny.build(), **given)
    model: Any = adapter_lib.init(tiny.build(), at=path)
    report = model.add_adapter("a", "lora[r=2, targets=all-linear]")
    assert torch.equal(output(model, **given), base)
    shake(model, "a")
    own = [n for n, p in model.named_parameters() if "adapter:a" in n]
    assert own
    assert all(name.startswith(f"{path}.") for name in own), own[:3]
    assert report.parameters > 0
    model.active_adapters = "a"
    assert not torch.allclose(output(model, **given), base, atol=1e-4)
    assert type(adapter_lib.detach(model)) is type(tiny.build())
    assert torch.equal(output(model, **given), base)


def test_an_adapter_of_a_sub_model_fits_the_model_alone(tmp_path: Path) -> None:
    whole: Any = MODELS["llava"].build()
    alone = hf.LlamaModel(whole.config.text_config).eval()
    alone.load_state_dict(whole.language_model.state_dict())
    adapter_lib.init(whole, at="language_model")
    whole.add_adapter("a", "lora[r=2]")
    whole.save_adapter(tmp_path / "a", "a")
    report = adapter_lib.init(alone).load_adapter(tmp_path / "a")
    assert (len(report.matched), report.missing, report.unexpected) == (8, (), ())
