"""`setup_config.json`: a composition and where in the folder everything is that it needs."""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from adapter_lib.spec.composition import Block, check_adapter_name, learned_in, parse_composition
from adapter_lib.spec.documents import Origin, no_document, parse_document, read_origin, to_text
from adapter_lib.spec.fields import FieldError, Fields
from adapter_lib.spec.schema import FORMAT
from adapter_lib.spec.strict_json import quoted

SETUP_FILE = "setup_config.json"
MAX_ENTRIES = 1000
_MAX_LAYERS = 10_000
# One folder below one of these: nothing else can be reached.
ADAPTERS, HEADS, BLOCKS, EMBEDDINGS = "adapters", "heads", "blocks", "embeddings"
_FOLDER = re.compile(rf"(?:{ADAPTERS}|{HEADS}|{BLOCKS}|{EMBEDDINGS})/[A-Za-z0-9_-]{{1,110}}")


@dataclass(frozen=True)
class Entry:
    """A member of a set-up: its name, and the folder of its files below the set-up's."""

    name: str
    folder: str


@dataclass(frozen=True)
class SetupManifest:
    """A parsed `setup_config.json`.

    skip_layers: in which nothing acts. active_heads: the names of the heads that predict.
    heads: those that do not travel with an adapter of their name.
    blocks: fusions and routes by kind and name. shared: adapters that have parameters in common, the first
    with the values. embeddings: those that were active, None for the model's own.
    """

    composition: Block
    skip_layers: tuple[int, ...]
    active_heads: tuple[str, ...]
    adapters: tuple[Entry, ...]
    heads: tuple[Entry, ...]
    blocks: Mapping[tuple[str, str], Entry]
    shared: tuple[tuple[str, ...], ...]
    embeddings: Entry | None
    origin: Origin

    def to_json(self) -> str:
        """The file's text; `parse_setup_manifest` gives an equal manifest back."""
        blocks = [{"kind": kind} | _listed([entry])[0] for (kind, _), entry in self.blocks.items()]
        document = {
            "format": FORMAT,
            "schema_version": 2,
            "composition": self.composition.to_json(),
            "skip_layers": list(self.skip_layers),
            "active_heads": list(self.active_heads),
            "adapters": _listed(self.adapters),
            "heads": _listed(self.heads),
            "blocks": blocks,
            "shared": [{"adapters": list(names)} for names in self.shared],
            "embeddings": None if self.embeddings is None else _listed([self.embeddings])[0],
            **self.origin.to_dict(),
        }
        return to_text(document)


def parse_setup_manifest(data: bytes | str | Mapping[str, Any]) -> SetupManifest:
    """Parse a `setup_config.json`. Raises ManifestError, with the codes of `parse_manifest`."""
    return parse_document(data, SETUP_FILE, _READERS, no_document(SETUP_FILE))


def _read_2(fields: Fields) -> SetupManifest:
    embeddings = fields.nested_or_none("embeddings")
    manifest = SetupManifest(
        composition=parse_composition(fields.mapping("composition")),
        skip_layers=fields.integers("skip_layers", _MAX_LAYERS, 0, _MAX_LAYERS),
        active_heads=fields.texts("active_heads", 0, MAX_ENTRIES),
        adapters=_entries(fields, "adapters"),
        heads=_entries(fields, "heads"),
        blocks=_blocks(fields),
        shared=tuple(_group(item) for item in _items(fields, "shared")),
        embeddings=None if embeddings is None else _entry(embeddings),
        origin=read_origin(fields),
    )
    _check_whole(manifest)
    return manifest


_READERS: dict[int, Callable[[Fields], SetupManifest]] = {2: _read_2}


def _listed(entries: Iterable[Entry]) -> list[dict[str, str]]:
    return [{"name": entry.name, "folder": entry.folder} for entry in entries]


def _entry(fields: Fields) -> Entry:
    """A member; its folder must be where this library puts it, so that no path leads elsewhere."""
    name, folder = check_adapter_name(fields.text("name")), fields.text("folder")
    if not _FOLDER.fullmatch(folder):
        where = fields.path("folder")
        raise FieldError(
            "bad_value", f"{where} must be a folder such as adapters/name, not {quoted(folder)}."
        )
    fields.done()
    return Entry(name, folder)


def _entries(fields: Fields, key: str) -> tuple[Entry, ...]:
    return tuple(_entry(item) for item in _items(fields, key))


def _items(fields: Fields, key: str) -> list[Fields]:
    items = fields.items(key)
    if len(items) > MAX_ENTRIES:
        raise FieldError("bad_value", f"{fields.path(key)} must be a list of at most {MAX_ENTRIES} objects.")
    return items


def _blocks(fields: Fields) -> dict[tuple[str, str], Entry]:
    found: dict[tuple[str, str], Entry] = {}
    for item in _items(fields, "blocks"):
        kind = item.choice("kind", ("fuse", "route"))
        entry = _entry(item)
        if (kind, entry.name) in found:
            raise FieldError("bad_value", f"blocks names the {kind} {quoted(entry.name)} twice.")
        found[kind, entry.name] = entry
    return found


def _group(fields: Fields) -> tuple[str, ...]:
    names = fields.texts("adapters", 2, MAX_ENTRIES)
    fields.done()
    return names


def _check_whole(manifest: SetupManifest) -> None:
    """Nothing is there twice, and what the composition needs is there."""
    adapters = [entry.name for entry in manifest.adapters]
    heads = [entry.name for entry in manifest.heads]
    folders = [entry.folder for entry in (*manifest.adapters, *manifest.heads, *manifest.blocks.values())]
    for what, names in (("adapters", adapters), ("heads", heads), ("folders", folders)):
        (most, count), *_ = [*Counter(names).most_common(1), ("", 1)]
        if count > 1:
            raise FieldError("bad_value", f"{quoted(most)} is twice among the {what}.")
    learned = [f"{node.kind} {node.key()}" for node in learned_in(manifest.composition)]
    listed = [f"{kind} {name}" for kind, name in manifest.blocks]
    sharing = [name for group in manifest.shared for name in group]
    _check_listed("composition", manifest.composition.names(), "adapters", adapters)
    _check_listed("shared", sharing, "adapters", adapters)
    _check_listed("active_heads", manifest.active_heads, "adapters or heads", [*heads, *adapters])
    _check_listed("composition", learned, "blocks", listed)
    _check_listed("blocks", listed, "composition", learned)


def _check_listed(who: str, needed: Iterable[str], where: str, there: Iterable[str]) -> None:
    known = set(there)
    for name in needed:
        if name not in known:
            raise FieldError("bad_value", f"{who} names {quoted(name)}, which {where} does not.")
