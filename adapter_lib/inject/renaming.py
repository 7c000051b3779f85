"""Calling adapters and learned blocks by other names, with their parameters where they are."""

from collections.abc import Mapping

from adapter_lib.inject.injection import Injection

Block = tuple[str, str]


def rename(injection: Injection, adapters: Mapping[str, str], blocks: Mapping[Block, str]) -> None:
    """Give adapters and blocks, by kind and name, new names that are free.

    A composition that names one of them must be activated anew by its new names.
    """
    for point in injection.points.points.values():
        for name, part in point.parts().items():
            if name in adapters:
                point.remove(name)
                point.add(adapters[name], part)
        for block, own in point.blocks().items():
            if block in blocks:
                point.remove_block(*block)
                own.block = blocks[block]
                point.add_block(block[0], blocks[block], own)
    for name, new in adapters.items():
        _rename_shared(injection, name, new)
        injection.configs[new] = injection.configs.pop(name)
    for (kind, name), (config, names) in list(injection.blocks.items()):
        del injection.blocks[kind, name]
        fused = tuple(adapters.get(fused, fused) for fused in names)
        injection.blocks[kind, blocks.get((kind, name), name)] = (config, fused)


def _rename_shared(injection: Injection, name: str, new: str) -> None:
    for number, part in injection.shared_parts(name).items():
        injection.drop_shared(name, number)
        injection.hold_shared(new, number, part)
