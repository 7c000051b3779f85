"""What is left of a name when characters that look alike are made the same."""

_LOOK_ALIKE = str.maketrans({"i": "l", "1": "l", "0": "o", "-": None, "_": None, ".": None})


def skeleton(name: str) -> str:
    """Two names with one skeleton could be taken for each other: `de-mo1` and `DEMOl` are both `demol`."""
    folded = name.casefold().translate(_LOOK_ALIKE)
    # A name of nothing but marks, such as `_`, stands for itself.
    return folded or name
