"""The committed pictures are what `plot_composition` draws, and the page shows each beside its code."""

from adapter_lib.spec.composition import BLOCKS
from tests.docs.composition_pictures import FOLDER, PICTURES, drawn

PAGE = (FOLDER.parent / "composition.md").read_text(encoding="utf-8")


def test_the_committed_pictures_are_current() -> None:
    committed = {path.name: path.read_text(encoding="utf-8") for path in FOLDER.iterdir()}
    assert committed == drawn(), "run python -m tests.docs.composition_pictures"


def test_every_block_has_a_picture_with_its_words() -> None:
    assert {block.kind.replace("_", "-") for block in BLOCKS.values()} <= set(PICTURES)
    for name, block in PICTURES.items():
        shown = repr(block).replace("'", '"').replace(", normalize_weights=True", "")
        shown = shown.replace(", weights=None", "").replace(", name=None", "")
        shown = shown.replace("(1, 2)", "[1, 2]").replace("(3, 4)", "[3, 4]").replace("(3.0, 1.0)", "[3, 1]")
        assert f"![{shown}](pictures/{name}.svg)" in PAGE
