"""The pictures of docs/methods/composition.md, and the command that draws them.

`python -m tests.docs.composition_pictures`
"""

from adapter_lib import Average, BatchSplit, Fuse, MultiTask, Parallel, Route, Split, Stack
from adapter_lib.inspection import plot_composition
from adapter_lib.spec.composition import Block
from tests.docs.markers import DOCS

FOLDER = DOCS / "methods" / "pictures"
PICTURES: dict[str, Block] = {
    "stack": Stack("a", "b"),
    "parallel": Parallel("a", Stack("a", "b"), "b"),
    "batch-split": BatchSplit("a", "b", batch_sizes=[1, 2]),
    "split": Split("a", "b", splits=[3, 4]),
    "average": Average("a", "b", weights=[3, 1]),
    "multi-task": MultiTask("a", "b"),
    "fuse": Fuse("a", "b", "c"),
    "route": Route("a", "b", "c"),
    "nested": Parallel(Stack("a", "b"), Average("c", BatchSplit("a", "b", batch_sizes=[1, 2]))),
}


def drawn() -> dict[str, str]:
    """What should stand in every file of the folder."""
    return {f"{name}.svg": plot_composition(block).svg for name, block in PICTURES.items()}


def main() -> None:
    """Draw all pictures."""
    FOLDER.mkdir(exist_ok=True)
    for name, svg in drawn().items():
        (FOLDER / name).write_text(svg, encoding="utf-8")


if __name__ == "__main__":
    main()
