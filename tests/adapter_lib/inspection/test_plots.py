"""Heat maps are well-formed SVG that says what was recorded."""

from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import torch

from adapter_lib import Parallel
from adapter_lib.inspection import Drawing, plot_fusion, plot_gates, plot_routes
from adapter_lib.spec.composition import Fuse, Route
from adapter_lib.spec.errors import AttachError, UnknownNameError
from tests.adapter_lib.blocks.running import given
from tests.adapter_lib.tiny import prepared

SVG = "{http://www.w3.org/2000/svg}"
SCORES = {
    "a,b": {"layers.10.ffn": torch.tensor([[[0.25, 0.75]]]), "layers.2.ffn": torch.tensor([[[1.0, 0.0]]])}
}


def texts(drawing: Drawing) -> list[str]:
    """What is written in a picture, in order."""
    return [str(node.text) for node in ElementTree.fromstring(drawing.svg).iter(f"{SVG}text")]  # noqa: S314


def fills(drawing: Drawing) -> list[str]:
    """The cells' colours, in order."""
    cells = ElementTree.fromstring(drawing.svg).iter(f"{SVG}g")  # noqa: S314
    return [str(cell.find(f"{SVG}rect").get("fill")) for cell in cells]  # type: ignore[union-attr]


def test_rows_are_layers_in_order_and_columns_adapters() -> None:
    drawing = plot_fusion(SCORES)
    assert texts(drawing) == [
        "Fusion a,b: attention, mean over tokens",
        *("a", "b"),
        *("layers.2.ffn", "1.00", "0.00"),
        *("layers.10.ffn", "0.25", "0.75"),
    ]
    deep, pale, *_ = fills(drawing)
    assert (deep, pale) == ("#0c4a7e", "#eef3f8")


def test_labels_and_titles_are_text_whatever_they_hold(tmp_path: Path) -> None:
    drawing = plot_fusion(SCORES, labels=["<b>", 'x"&y'], title="5 < 6")
    assert {"<b>", 'x"&y', "5 < 6"} <= set(texts(drawing))
    assert drawing.save(tmp_path / "fusion.svg").read_text(encoding="utf-8") == drawing._repr_svg_()
    several = plot_fusion({"mine": SCORES["a,b"]}, "mine")
    assert texts(several)[1:3] == ["1", "2"]


def test_padding_does_not_count() -> None:
    scores = {"r": {"layers.0.ffn": torch.tensor([[[1.0, 0.0], [0.0, 1.0]]] * 4)}}
    mask = torch.tensor([[1, 0], [1, 1]])
    assert texts(plot_routes(scores, mask=mask))[-2:] == ["0.67", "0.33"]
    assert texts(plot_routes(scores))[-2:] == ["0.50", "0.50"]
    with pytest.raises(AttachError, match="mask has 3 rows, and 4 were recorded"):
        plot_routes(scores, mask=torch.ones(3, 2))


def test_what_a_model_recorded_can_be_drawn() -> None:
    gated = "seq_bn[use_gating=true]"
    model: Any = prepared("bert", a=gated, b=gated, c="lora[use_gating=true]")
    model.add_adapter_fusion(["a", "b"])
    model.add_route(["b", "c"])
    model.active_adapters = Parallel(Fuse("a", "b"), Route("b", "c"))
    asked = ("gating_scores", "fusion_attentions", "route_weights")
    out = model(**given(), **{f"output_adapter_{name}": True for name in asked})
    fusion = texts(plot_fusion(out.adapter_fusion_attentions, mask=given()["attention_mask"]))
    assert fusion[1:4] == ["a", "b", "layers.0.ffn"]
    for first, second in zip(fusion[4::3], fusion[5::3], strict=True):
        assert float(first) + float(second) == pytest.approx(1, abs=0.011)
    assert texts(plot_routes(out.adapter_route_weights))[1:3] == ["b", "c"]
    gates = plot_gates(out.adapter_gating_scores)
    assert texts(gates)[1:4] == ["a", "b", "c"]
    # a and b are at two places, c at four others: the rest stays empty.
    assert len(fills(gates)) == 2 + 2 + 4


def test_what_was_not_recorded_cannot_be_drawn() -> None:
    with pytest.raises(AttachError, match="Nothing was recorded"):
        plot_fusion({})
    with pytest.raises(AttachError, match="Nothing was recorded"):
        plot_gates({"a": {}})
    with pytest.raises(UnknownNameError, match="Nothing of 'z' was recorded; there are: a,b"):
        plot_fusion(SCORES, "z")
    with pytest.raises(UnknownNameError, match="Say which one"):
        plot_fusion(SCORES | {"c,d": SCORES["a,b"]})
    with pytest.raises(AttachError, match="a,b has 2 children, but 3 labels"):
        plot_fusion(SCORES, labels=["x", "y", "z"])
