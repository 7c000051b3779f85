"""A whole set-up in one folder: `setup_config.json`, and everything that its composition needs below it.

Every member is stored as it would be alone, so `adapters/sst2` is the folder of an adapter like any other.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from adapter_lib.formats import blocks, head_files, native
from adapter_lib.formats.inspecting import read_bytes
from adapter_lib.formats.report import SaveReport
from adapter_lib.heads import HeadStore
from adapter_lib.inject import Atlas, Injection, sharing_groups
from adapter_lib.spec.composition import Block, learned_in
from adapter_lib.spec.documents import Origin
from adapter_lib.spec.errors import LoadError
from adapter_lib.spec.manifest import CONFIG_FILE
from adapter_lib.spec.setup_manifest import (
    ADAPTERS,
    BLOCKS,
    EMBEDDINGS,
    HEADS,
    SETUP_FILE,
    Entry,
    SetupManifest,
    parse_setup_manifest,
)

OWN = (SETUP_FILE, ADAPTERS, HEADS, BLOCKS, EMBEDDINGS)
_NOT_IN_FOLDERS = re.compile(r"[^A-Za-z0-9_-]+")
_LONGEST = 96


def describe(
    injection: Injection,
    heads: HeadStore,
    composition: Block,
    active_heads: tuple[str, ...],
    embeddings: str | None,
    skip_layers: Iterable[int],
    origin: Origin,
) -> SetupManifest:
    """What a set-up's file says: the composition, and all that is needed for it.

    embeddings: the name of those that are active, None for the model's own. Raises LoadError if an adapter
    that a fusion or route was added for is gone.
    """
    learned = [(node.kind, node.key()) for node in learned_in(composition)]
    fused = [name for block in learned for name in blocks.describe(injection, heads, block, origin).adapters]
    adapters = tuple(dict.fromkeys((*composition.names(), *fused)))
    others = tuple(name for name in dict.fromkeys(active_heads) if name not in adapters)
    kept = dict(zip(learned, entries(BLOCKS, [name for _, name in learned]), strict=True))
    return SetupManifest(
        composition=composition,
        skip_layers=tuple(sorted(skip_layers)),
        active_heads=active_heads,
        adapters=entries(ADAPTERS, adapters),
        heads=entries(HEADS, others),
        blocks=kept,
        shared=sharing_groups({name: injection.members(name) for name in adapters}),
        embeddings=None if embeddings is None else entries(EMBEDDINGS, [embeddings])[0],
        origin=origin,
    )


def entries(kind: str, names: Iterable[str]) -> tuple[Entry, ...]:
    """A folder of its own for every name, called as the name is wherever that is possible."""
    found: list[Entry] = []
    taken: set[str] = set()
    for name in names:
        number, plain = 1, _NOT_IN_FOLDERS.sub("_", name)[:_LONGEST]
        folder = plain
        # Some file systems do not tell upper from lower case.
        while folder.lower() in taken:
            number += 1
            folder = f"{plain}-{number}"
        taken.add(folder.lower())
        found.append(Entry(name, f"{kind}/{folder}"))
    return tuple(found)


def write(injection: Injection, heads: HeadStore, folder: Path, manifest: SetupManifest) -> list[SaveReport]:
    """Write every member below a folder, and last what says which there are; not atomic by itself."""
    origin = manifest.origin
    done = [
        native.save(
            injection,
            heads.get(entry.name) if entry.name in heads.names() else None,
            folder / entry.folder,
            entry.name,
            origin.backbone,
        )
        for entry in manifest.adapters
    ]
    done += [head_files.save(heads, folder / entry.folder, entry.name, origin) for entry in manifest.heads]
    done += [
        blocks.save(injection, heads, folder / entry.folder, block, origin)
        for block, entry in manifest.blocks.items()
    ]
    (folder / SETUP_FILE).write_text(manifest.to_json(), encoding="utf-8")
    return done


def read_setup(folder: Path) -> SetupManifest:
    """The manifest of a set-up's folder. Raises LoadError or ManifestError."""
    if (folder / CONFIG_FILE).is_file() and not (folder / SETUP_FILE).exists():
        raise LoadError(f"{folder} holds one adapter and no set-up: load_adapter() loads it.")
    return parse_setup_manifest(read_bytes(folder / SETUP_FILE))


@dataclass(frozen=True)
class InspectedSetup:
    """A set-up's folder, every member of which was found fit for a model; nothing is attached yet."""

    manifest: SetupManifest
    adapters: Mapping[str, native.Inspected]
    heads: Mapping[str, head_files.InspectedHead]
    blocks: Mapping[tuple[str, str], blocks.InspectedBlock]

    def head_names(self) -> tuple[str, ...]:
        """All heads that it brings."""
        own = [name for name, found in self.adapters.items() if found.manifest.head is not None]
        return (*own, *self.heads)


def inspect(atlas: Atlas, folder: Path, manifest: SetupManifest, *, strict: bool) -> InspectedSetup:
    """Read and check every member of a set-up against a model; raises as `native.inspect` does."""
    adapters = {
        entry.name: native.inspect(atlas, folder / entry.folder, strict=strict) for entry in manifest.adapters
    }
    heads = {
        entry.name: head_files.inspect(atlas, folder / entry.folder, strict=strict)
        for entry in manifest.heads
    }
    known = {name: found.manifest.config for name, found in adapters.items()}
    learned = {
        block: blocks.inspect(atlas, folder / entry.folder, known, block[0], strict=strict)
        for block, entry in manifest.blocks.items()
    }
    found = InspectedSetup(manifest, adapters, heads, learned)
    _check_members(folder, found)
    return found


def _check_members(folder: Path, found: InspectedSetup) -> None:
    """The members are what the set-up takes them for."""
    counts = {(node.kind, node.key()): len(node.children) for node in learned_in(found.manifest.composition)}
    for block, member in found.blocks.items():
        if member.manifest.name != block[1] or member.manifest.children != counts[block]:
            raise LoadError(
                f"The set-up in {folder} has a {block[0]} {block[1]!r} over {counts[block]}; its file is of "
                f"{member.manifest.name!r} over {member.manifest.children}."
            )
        if member.manifest.head is not None:
            raise LoadError(f"The set-up in {folder} hides a head in its {block[0]} {block[1]!r}.")
    names = found.head_names()
    for name in found.manifest.active_heads:
        if name not in names:
            raise LoadError(f"The set-up in {folder} has no head {name!r}, which it says is active.")
    twice = next((name for name in found.heads if names.count(name) > 1), None)
    if twice is not None:
        raise LoadError(f"The set-up in {folder} has two heads {twice!r}: an adapter's and one alone.")
