"""What a prepared model can do: the words of `adapters`, thin over the engine.

transformers' own PreTrainedModel has methods of some of these names (for PEFT); ours stand in front of them
on purpose.
"""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from torch import nn

from adapter_lib.formats import native
from adapter_lib.formats.report import LoadReport, SaveReport
from adapter_lib.heads import head_spec, label_names
from adapter_lib.inject import AttachReport
from adapter_lib.model.runtime import Runtime, own_keys
from adapter_lib.model.summary import AdapterSummary, summarise
from adapter_lib.points import CHILD_PREFIX, like_of
from adapter_lib.spec.composition import Block, check_adapter_name, parse_composition
from adapter_lib.spec.configs import MethodConfig
from adapter_lib.spec.errors import AttachError, CompositionError, UnknownNameError, listing
from adapter_lib.spec.manifest import BackboneRef
from adapter_lib.spec.strings import parse_config

Composition = str | Block | Sequence[Any] | Mapping[str, Any] | None


class AdapterModel(nn.Module):
    """The methods that `adapter_lib.init` gives a model."""

    adapter_runtime: Runtime

    def add_adapter(
        self, name: str, config: str | MethodConfig = "seq_bn", *, overwrite: bool = False
    ) -> AttachReport:
        """Add an adapter, inactive at first; the report counts its places and parameters.

        Raises CompositionError for a name that cannot be, ConfigError for a bad config, AttachError for a
        name that exists (without `overwrite`), FamilyError if the config acts where this family has
        nothing.
        """
        parsed, injection = parse_config(config), self.adapter_runtime.injection
        injection.keys(parsed)
        self._make_room(name, overwrite=overwrite)
        report = injection.attach(name, parsed)
        self._note_keys()
        return report

    def delete_adapter(self, name: str) -> None:
        """Remove an adapter (not its head); a composition that names it is switched off.

        Raises UnknownNameError.
        """
        self._check_known([name])
        runtime = self.adapter_runtime
        was_active = runtime.injection.block is not None and name in runtime.injection.block.names()
        runtime.injection.remove(name)
        if was_active:
            self.set_active_adapters(None)
        self._note_keys()

    @property
    def active_adapters(self) -> Block | None:
        """The composition that acts, or None.

        Set it to a name, a block or None; heads of the same names follow.
        """
        return self.adapter_runtime.injection.block

    @active_adapters.setter
    def active_adapters(self, composition: Composition) -> None:
        self.set_active_adapters(composition)

    def set_active_adapters(
        self, composition: Composition, *, head: str | Sequence[str] | None = "auto"
    ) -> None:
        """Let a composition act.

        head: "auto" takes the heads that go with it, None takes none, a name that one.
        Raises CompositionError or UnknownNameError, and then nothing has changed.
        """
        runtime = self.adapter_runtime
        block = None if composition is None else parse_composition(composition)
        self._check_known(block.names() if block else ())
        heads = runtime.heads.of_composition(block) if head == "auto" else _names(head)
        channels = block.channels() if block else 1
        self._check_heads(heads, channels)
        runtime.injection.activate(block)
        runtime.channels, runtime.active_heads = channels, heads

    @property
    def active_head(self) -> str | tuple[str, ...] | None:
        """The head that predicts, one per channel for a Parallel with heads, or None."""
        heads = self.adapter_runtime.active_heads
        return heads if len(heads) > 1 else next(iter(heads), None)

    @active_head.setter
    def active_head(self, head: str | Sequence[str] | None) -> None:
        heads = _names(head)
        self._check_heads(heads, self.adapter_runtime.channels)
        self.adapter_runtime.active_heads = heads

    def add_classification_head(
        self,
        name: str,
        *,
        num_labels: int | None = None,
        labels: Sequence[str] | None = None,
        pooling: str = "mean",
        layers: int = 1,
        activation: str = "tanh",
        dropout: float = 0.0,
        overwrite: bool = False,
    ) -> None:
        """Add a classification head; one that has an adapter's name is saved, loaded and activated with it.

        labels: the names of the classes, or num_labels for LABEL_0, LABEL_1 …
        pooling: "mean", "cls" (first token) or "last" (last token that is no padding).
        layers: linear layers, with `activation` between them.
        Raises ConfigError for a value out of range, AttachError for a name that exists.
        """
        check_adapter_name(name)
        names = label_names(num_labels, labels)
        spec = head_spec(names, pooling=pooling, layers=layers, activation=activation, dropout=dropout)
        runtime = self.adapter_runtime
        if name in runtime.heads.names() and not overwrite:
            raise AttachError(f"There is a head {name!r} already; overwrite=True replaces it.")
        runtime.heads.add(name, spec, like_of(self))
        self._note_keys()
        block = runtime.injection.block
        if block is not None and block.channels() == 1 and name in block.names():
            runtime.active_heads = runtime.heads.of_composition(block)

    def delete_head(self, name: str) -> None:
        """Remove a head. Raises UnknownNameError."""
        runtime = self.adapter_runtime
        runtime.heads.remove(name)
        if name in runtime.active_heads:
            runtime.active_heads = ()
        self._note_keys()

    def train_adapter(self, composition: Composition) -> None:
        """Activate a composition, make its adapters and their heads trainable and nothing else; train mode.

        A head of the model's own class is frozen too: it would not travel with the adapter.
        """
        if composition is None:
            raise AttachError("train_adapter needs the name of an adapter or a composition.")
        self.set_active_adapters(composition)
        runtime = self.adapter_runtime
        if not runtime.required_grad:
            runtime.required_grad = {
                n: p.requires_grad for n, p in self.named_parameters() if CHILD_PREFIX not in n
            }
        self.requires_grad_(False)
        for name in parse_composition(composition).names():
            for part in runtime.injection.parts(name).values():
                part.requires_grad_(True)
        for name in runtime.active_heads:
            runtime.heads.get(name).requires_grad_(True)
        self.train()

    def merge_adapter(self, name: str) -> None:
        """Add an adapter to the weights themselves, so that it costs nothing; `reset_adapter` undoes it.

        Raises AttachError if the method is no update of weights, or another adapter is merged.
        """
        self._check_known([name])
        injection = self.adapter_runtime.injection
        leaves = injection.leaves(name)
        if len(leaves) < len(injection.parts(name)):
            raise AttachError(
                f"{name!r} ({injection.configs[name].name()}) is no update of weights: cannot merge it."
            )
        if (other := injection.merged()) is not None:
            raise AttachError(f"{other!r} is merged already; reset_adapter() takes it out again.")
        try:
            for leaf in leaves:
                leaf.merge(name)
        except AttachError:
            self.reset_adapter()
            raise
        if injection.block is not None and name in injection.block.names():
            heads = self.adapter_runtime.active_heads
            self.set_active_adapters(None, head=heads if len(heads) == 1 else None)

    def reset_adapter(self) -> None:
        """Take a merged adapter out of the weights, which are then as they were, bit for bit."""
        injection = self.adapter_runtime.injection
        name = injection.merged()
        for leaf in injection.leaves(name) if name is not None else []:
            leaf.reset()

    def adapter_summary(self) -> AdapterSummary:
        """A table of the adapters; print it."""
        backbone = sum(p.numel() for n, p in self.named_parameters() if CHILD_PREFIX not in n)
        return summarise(self.adapter_runtime, backbone)

    def save_adapter(
        self,
        folder: str | os.PathLike[str],
        name: str,
        *,
        backbone_id: str | None = None,
        backbone_revision: str | None = None,
    ) -> SaveReport:
        """Write an adapter, and the head of its name, to a folder in the native format.

        backbone_id and backbone_revision default to where the model was loaded from, if that was a hub.
        Raises UnknownNameError, or LoadError if the files cannot be written.
        """
        self._check_known([name])
        runtime = self.adapter_runtime
        head = runtime.heads.get(name) if name in runtime.heads.names() else None
        backbone = self._backbone(backbone_id, backbone_revision)
        return native.save(runtime.injection, head, Path(folder), name, backbone)

    def load_adapter(
        self,
        folder: str | os.PathLike[str],
        *,
        name: str | None = None,
        strict: bool = True,
        overwrite: bool = False,
    ) -> LoadReport:
        """Attach an adapter from a folder, and its head, inactive at first.

        name: defaults to the folder's.
        strict: raise LoadError for any tensor missing, unexpected or of a wrong shape, and for a backbone
        with other weights; else the report counts them. An adapter for another architecture always raises.
        """
        path = Path(folder)
        name = path.name if name is None else name
        found = native.inspect(self, path, strict=strict)
        self._make_room(name, overwrite=overwrite)
        runtime = self.adapter_runtime
        if name in runtime.heads.names():
            if not overwrite:
                raise AttachError(f"There is a head {name!r} already; overwrite=True replaces it.")
            self.delete_head(name)
        report = native.attach(found, runtime.injection, runtime.heads, name, like_of(self))
        self._note_keys()
        return report

    def _make_room(self, name: str, *, overwrite: bool) -> None:
        check_adapter_name(name)
        if name in self.adapter_runtime.injection.configs:
            if not overwrite:
                raise AttachError(f"There is an adapter {name!r} already; overwrite=True replaces it.")
            self.delete_adapter(name)

    def _check_known(self, names: Sequence[str]) -> None:
        known = self.adapter_runtime.injection.configs
        for name in names:
            if name not in known:
                raise UnknownNameError(
                    f"There is no adapter {name!r} on this model; there are: {listing(known)}."
                )

    def _check_heads(self, heads: tuple[str, ...], channels: int) -> None:
        for name in heads:
            self.adapter_runtime.heads.get(name)
        if len(heads) not in (0, 1, channels):
            raise CompositionError(f"{len(heads)} heads are for as many parallel adapters, not {channels}.")

    def _note_keys(self) -> None:
        """`save_pretrained` writes the backbone's own keys only."""
        runtime = self.adapter_runtime
        self._keys_to_ignore_on_save = runtime.ignored_on_save | own_keys(self)

    def _backbone(self, given_id: str | None, given_revision: str | None) -> BackboneRef:
        config: Any = self.config
        resolved = self.adapter_runtime.injection.resolved
        source = config.name_or_path if given_id is None else given_id
        is_hub_id = given_id is not None or not Path(source).exists()
        return BackboneRef(
            id=source if is_hub_id else "",
            revision=given_revision or (getattr(config, "_commit_hash", None) if given_id is None else None),
            fingerprint=native.fingerprint(self),
            model_type=config.model_type,
            hidden_size=resolved.hidden_size,
            num_layers=len(resolved.layers),
        )


def _names(head: str | Sequence[str] | None) -> tuple[str, ...]:
    if head is None:
        return ()
    return (head,) if isinstance(head, str) else tuple(head)
