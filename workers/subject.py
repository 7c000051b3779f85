"""What the checks of one run look at, each part read when it is first asked for."""

import json
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from adapter_lib.spec.card import CARD_FILE, CardText, parse_card
from adapter_lib.spec.manifest import CONFIG_FILE, WEIGHTS_FILE, Manifest, parse_manifest
from adapter_lib.spec.safetensors_header import Header, read_header
from workers.case import Case

if TYPE_CHECKING:  # torch is loaded by the checks that need it
    from adapter_lib.inject import Atlas
    from workers.loaded import LoadedBackbone


class Subject:
    """One commit under examination. The properties raise the parsers' own errors."""

    def __init__(self, case: Case) -> None:
        self.case = case
        # The name of the adapter once the load step has attached it.
        self.adapter = ""

    def has(self, path: str) -> bool:
        """Whether the commit has this file."""
        return any(file.path == path for file in self.case.files)

    def path(self, path: str) -> Path:
        """Where a file of the commit lies."""
        return self.case.folder / path

    @cached_property
    def manifest(self) -> Manifest:
        """adapter_config.json. Raises ManifestError."""
        return parse_manifest(self.path(CONFIG_FILE).read_bytes())

    @cached_property
    def header(self) -> Header:
        """The header of the weights. Raises HeaderError."""
        return read_header(self.path(WEIGHTS_FILE))

    @cached_property
    def card(self) -> CardText:
        """README.md, empty if there is none."""
        return parse_card(self.path(CARD_FILE).read_bytes() if self.has(CARD_FILE) else "")

    @cached_property
    def backbone_config(self) -> dict[str, Any]:
        """The backbone's config.json; empty where it is not at hand or no JSON object."""
        if self.case.backbone is None:
            return {}
        try:
            values = json.loads((self.case.backbone.folder / "config.json").read_bytes())
        except (OSError, ValueError):
            return {}
        return values if isinstance(values, dict) else {}

    @cached_property
    def places(self) -> "Atlas":
        """Where an adapter can act on the backbone, from its config alone. Raises FamilyError."""
        from adapter_lib.formats.skeleton import skeleton  # torch comes in here

        return skeleton(self.backbone_config)

    @cached_property
    def backbone(self) -> "LoadedBackbone":
        """The backbone in memory: the worker's own copy after a fork, else loaded here."""
        from workers.loaded import resident  # torch comes in here

        if self.case.backbone is None:
            raise LookupError("The backbone was not found before the model's checks began.")
        return resident(self.case.backbone, self.case.device)
