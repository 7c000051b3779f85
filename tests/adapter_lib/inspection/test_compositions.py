"""Pictures of compositions say which adapters act on what, in the order and the shares of the engine."""

from itertools import pairwise
from xml.etree import ElementTree

import pytest
import torch

from adapter_lib import Average, BatchSplit, Fuse, MultiTask, Parallel, Route, Split, Stack
from adapter_lib.inspection import Drawing, plot_composition
from adapter_lib.inspection.acting import acting, grid_size
from adapter_lib.spec.composition import Block, channel_of
from adapter_lib.spec.errors import CompositionError
from tests.adapter_lib.inspection.test_plots import SVG, texts
from tests.adapter_lib.tiny import prepared

NESTED = Parallel(
    Stack("a", "b"), Average(Fuse("a", "c"), BatchSplit("b", "c", batch_sizes=[1, 2]), weights=[3, 1])
)
BLOCKS: list[Block] = [
    Stack("a", "b", "c"),
    Parallel("a", "b"),
    BatchSplit("a", "b", batch_sizes=[0, 64]),
    Split("a", "b", splits=[3, 4]),
    Average("a", "b", weights=[1, -3], normalize_weights=False),
    MultiTask("a", "b", "c"),
    Fuse("a", "b"),
    Route("a", "b"),
    NESTED,
]


def rects(drawing: Drawing) -> list[ElementTree.Element]:
    return list(ElementTree.fromstring(drawing.svg).iter(f"{SVG}rect"))  # noqa: S314


def colour_of(drawing: Drawing) -> dict[str, str]:
    """The colour of every adapter's box."""
    root = ElementTree.fromstring(drawing.svg)  # noqa: S314
    boxes = [group for group in root.iter(f"{SVG}g") if group.find(f"{SVG}title") is not None]
    return {
        str(box.find(f"{SVG}title").text): str(box.find(f"{SVG}rect").get("fill"))  # type: ignore[union-attr]
        for box in boxes
    }


@pytest.mark.parametrize("block", BLOCKS, ids=repr)
def test_every_block_and_adapter_is_named_and_stays_on_the_page(block: Block) -> None:
    drawing = plot_composition(block)
    for name in (*block.names(), *(type(each).__name__ for each in block.blocks())):
        assert name in texts(drawing)
    assert len(set(colour_of(drawing).values())) == len(block.names())
    width, height = (float(ElementTree.fromstring(drawing.svg).get(side, 0)) for side in ("width", "height"))  # noqa: S314
    for rect in rects(drawing)[1:]:
        x, y, wide, high = (float(rect.get(side, 0)) for side in ("x", "y", "width", "height"))
        assert min(x, y) >= 0
        assert x + wide <= width
        assert y + high <= height


def test_what_is_written_on_the_ways() -> None:
    assert {"1 row", "2 rows", "× 0.75", "× 0.25", "× p₁", "× p₂", "channel 0", "channel 1"} <= set(
        texts(plot_composition(NESTED))
    )
    assert {"3 tokens", "4 tokens"} <= set(texts(plot_composition(Split("a", "b", splits=[3, 4]))))
    assert "× -3" in texts(plot_composition(BLOCKS[4]))


def test_cells_are_those_of_the_adapters_that_act() -> None:
    first, second = (channel_of(NESTED, number) for number in (0, 1))
    assert acting(first, 0, 0.1, 0.1) == [("a", 0.5), ("b", 0.5)]
    top, bottom = (acting(second, row, (row + 0.5) / 3, 0.1) for row in (0, 1))
    assert top == [("a", 0.375), ("c", 0.375), ("b", 0.25)]
    assert bottom == [("a", 0.375), ("c", 0.375), ("c", 0.25)]
    assert [acting(MultiTask("a", "b"), row, 0.0, 0.0)[0][0] for row in range(3)] == ["a", "b", "a"]
    assert [acting(Split("a", "b", splits=[1, 3]), 0, 0.5, x / 8)[0][0] for x in (1, 3, 7)] == ["a", "b", "b"]
    assert acting(BatchSplit("a", "b", batch_sizes=[0, 0]), 0, 0.5, 0.5) == [("b", 1.0)]


def test_the_picture_of_a_split_batch_is_what_the_model_does() -> None:
    model = prepared("bert", a="lora[init_weights=bert]", b="lora[init_weights=bert]")
    block = BatchSplit("b", "a", batch_sizes=[2, 1])
    rows, _ = grid_size(block)
    ids = torch.arange(15).view(3, 5)

    def states(composition: str | Block) -> torch.Tensor:
        model.active_adapters = composition
        with torch.no_grad():
            return torch.as_tensor(model(ids)[0])

    alone = {name: states(name) for name in "ab"}
    whole = states(block)
    for row in range(rows):
        [(name, _)] = acting(block, row, (row + 0.5) / rows, 0.5)
        torch.testing.assert_close(whole[row], alone[name][row])


def test_large_batches_are_scaled_and_stay_small() -> None:
    block = BatchSplit("a", "b", batch_sizes=[10_000, 30_000])
    assert grid_size(block) == (8, 4)
    drawn = [acting(block, row, (row + 0.5) / 8, 0.5)[0][0] for row in range(8)]
    assert drawn == ["a"] * 2 + ["b"] * 6
    assert len(plot_composition(block).svg) < 20_000


def test_names_are_text_and_long_ones_are_cut() -> None:
    drawing = plot_composition(["<b>&", "n" * 60], title="5 < 6")
    assert {"<b>&", "n" * 17 + "…", "5 < 6"} <= set(texts(drawing))
    assert "n" * 60 in colour_of(drawing)


def test_one_adapter_needs_no_frame() -> None:
    assert texts(plot_composition("a")) == ["a"]
    assert plot_composition({"type": "stack", "children": ["a"]}) == plot_composition("a")
    with pytest.raises(CompositionError, match="no composition block 'heap'"):
        plot_composition({"type": "heap", "children": ["a"]})


def test_the_light_and_the_dark_ink_stand_out_from_their_paper() -> None:
    style = plot_composition("a").svg.split("<style>")[1].split("</style>")[0]
    light, dark = style.split("@media (prefers-color-scheme:dark)")
    for part in (light, dark):
        paper, ink = (part.split(f".alc-{name}")[1].split("fill:#")[1][:6] for name in ("paper", "ink"))
        shades = sorted(_luminance(colour) for colour in (paper, ink))
        assert all(low < high for low, high in pairwise(shades))
        assert (shades[1] + 0.05) / (shades[0] + 0.05) > 7  # WCAG 2.2, level AAA


def _luminance(colour: str) -> float:
    """Relative luminance (WCAG 2.2)."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
