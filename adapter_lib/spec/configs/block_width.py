"""How wide the blocks of a block-diagonal matrix are."""

from adapter_lib.spec.configs.base import Place
from adapter_lib.spec.errors import ConfigError


def block_width(method: str, place: Place, block_size: int, blocks: int) -> int:
    """The width of each of the blocks over a place's input: `block_size`, or what makes `blocks` of them.

    Raises ConfigError if the input cannot be divided so.
    """
    width = place.width_in
    given, name = (blocks, "blocks") if blocks else (block_size, "block_size")
    if width % given:
        fitting = ", ".join(str(n) for n in range(2, width + 1) if width % n == 0)
        raise ConfigError(
            f"{method}: {name} {given} does not divide the {width} inputs of {place.role}; {fitting} do."
        )
    return width // given if blocks else given
