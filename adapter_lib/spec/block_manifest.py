"""`block_config.json`: what a fusion or a route says of itself, beside its `block.safetensors`."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from adapter_lib.spec.composition import BLOCKS, LearnedBlock, check_adapter_name
from adapter_lib.spec.configs import config_from_dict
from adapter_lib.spec.configs.block_config import BlockConfig
from adapter_lib.spec.documents import Origin, no_document, parse_document, read_origin, to_text
from adapter_lib.spec.fields import FieldError, Fields
from adapter_lib.spec.manifest import HeadSpec, head_to_dict, read_head
from adapter_lib.spec.schema import FORMAT, described

BLOCK_FILE = "block_config.json"
BLOCK_WEIGHTS = "block.safetensors"
# Of a block: more adapters than anybody fuses.
MAX_MEMBERS = 1000
_KINDS: dict[str, type[LearnedBlock]] = {
    kind: block for kind, block in BLOCKS.items() if issubclass(block, LearnedBlock)
}
_CONFIG_ITEMS = 1000


@dataclass(frozen=True)
class BlockManifest:
    """A parsed `block_config.json`.

    kind: "fuse" or "route". name: under which its parameters were added. adapters: wherever one of them is,
    the block has parameters. children: how many the block has. head_name, head: one that goes with it.
    """

    kind: str
    name: str
    config: BlockConfig
    adapters: tuple[str, ...]
    children: int
    origin: Origin
    head_name: str | None = None
    head: HeadSpec | None = None

    def to_json(self) -> str:
        """The file's text; `parse_block_manifest` gives an equal manifest back."""
        _, config = described(self.config)
        document = {
            "format": FORMAT,
            "schema_version": 2,
            "kind": self.kind,
            "name": self.name,
            "config": config,
            "adapters": list(self.adapters),
            "children": self.children,
            "head_name": self.head_name,
            "head": head_to_dict(self.head),
            **self.origin.to_dict(),
        }
        return to_text(document)


def parse_block_manifest(data: bytes | str | Mapping[str, Any]) -> BlockManifest:
    """Parse a `block_config.json`. Raises ManifestError, with the codes of `parse_manifest`."""
    return parse_document(data, BLOCK_FILE, _READERS, no_document(BLOCK_FILE))


def _read_2(fields: Fields) -> BlockManifest:
    kind = fields.choice("kind", sorted(_KINDS))
    values = fields.plain_mapping("config", 2, _CONFIG_ITEMS)
    config = config_from_dict(_KINDS[kind].config_method, values)
    if not isinstance(config, BlockConfig):
        raise FieldError("bad_value", f"config describes no {kind}.")
    adapters = fields.texts("adapters", 1, MAX_MEMBERS)
    if len(set(adapters)) < len(adapters):
        raise FieldError("bad_value", "adapters names an adapter twice.")
    head_name, head = fields.text_or_none("head_name"), read_head(fields.nested_or_none("head"))
    if (head is None) != (head_name is None):
        raise FieldError("bad_value", "head_name and head must both be there, or both be null.")
    return BlockManifest(
        kind=kind,
        name=check_adapter_name(fields.text("name")),
        config=config,
        adapters=tuple(check_adapter_name(name) for name in adapters),
        children=fields.integer("children", 1, MAX_MEMBERS),
        origin=read_origin(fields),
        head_name=None if head_name is None else check_adapter_name(head_name),
        head=head,
    )


_READERS: dict[int, Callable[[Fields], BlockManifest]] = {2: _read_2}
