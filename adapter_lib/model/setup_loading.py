"""A set-up on its way onto a model: all of it, or nothing."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from adapter_lib.formats import blocks, embeddings, head_files, native, setups
from adapter_lib.formats.report import LoadReport, SetupReport
from adapter_lib.inject import rename
from adapter_lib.model.embedding_files import EmbeddingFiles
from adapter_lib.model.vocabulary import Vocabulary
from adapter_lib.points import like_of
from adapter_lib.spec.composition import Block, check_adapter_name, keys_after, renamed
from adapter_lib.spec.errors import AttachError, UnknownNameError, listing
from adapter_lib.spec.setup_manifest import SetupManifest

Key = tuple[str, str]


@dataclass(frozen=True)
class Names:
    """What everything of a set-up is called, by its saved name."""

    adapters: Mapping[str, str]
    heads: Mapping[str, str]
    blocks: Mapping[Key, str]
    composition: Block

    @classmethod
    def of(
        cls, manifest: SetupManifest, names: Mapping[str, str], learned: Mapping[Key, str] | None
    ) -> "Names":
        """names: new names of adapters and heads; learned: of learned blocks, as in `renamed`."""
        composition = renamed(manifest.composition, names, learned)
        return cls(
            adapters={entry.name: names.get(entry.name, entry.name) for entry in manifest.adapters},
            heads={entry.name: names.get(entry.name, entry.name) for entry in manifest.heads},
            blocks=keys_after(manifest.composition, composition),
            composition=composition,
        )

    def head(self, name: str) -> str:
        """What a head is called, an adapter's or one alone."""
        return self.heads.get(name) or self.adapters[name]


@dataclass
class SetupLoading:
    """Attaches under provisional names; only when all of it acts does it replace what had its names.

    rename: what is to be called otherwise than it was saved.
    """

    model: EmbeddingFiles
    folder: Path
    manifest: SetupManifest
    rename: Mapping[str, str]
    reports: list[LoadReport] = field(default_factory=list)

    def run(self, *, set_active: bool, strict: bool, overwrite: bool) -> SetupReport:
        """Do it; raises as `load_adapter_setup` tells, and then the model is as it was."""
        final, provisional = self._final_names(), self._provisional_names()
        self._check_free(final, overwrite=overwrite)
        undo = _Undo(self.model)
        try:
            self._attach_embeddings(undo, strict=strict)
            atlas = self.model.adapter_runtime.injection.atlas
            found = setups.inspect(atlas, self.folder, self.manifest, strict=strict)
            self._check_free_heads(found, final, overwrite=overwrite)
            self._attach(found, final, provisional)
            if set_active:
                self._activate(provisional)
            undo.is_needed = False
        finally:
            if undo.is_needed:
                undo.run()
        if set_active:
            self.model.set_active_adapters(None)
        self._take_names(found, final, provisional)
        if set_active:
            self._activate(final)
        self.model._note_keys()
        return SetupReport(final.composition, tuple(self.reports))

    def _final_names(self) -> Names:
        manifest = self.manifest
        known = {entry.name for entry in (*manifest.adapters, *manifest.heads, *manifest.blocks.values())}
        unknown = set(self.rename) - known
        if unknown:
            raise UnknownNameError(
                f"The set-up has no {listing(unknown)} that could be renamed; it has {listing(known)}."
            )
        names = Names.of(manifest, self.rename, None)
        for group in (names.adapters, names.heads):
            for name in group.values():
                check_adapter_name(name)
            if len(set(group.values())) < len(group):
                raise AttachError(f"rename gives two of {listing(group)} the same name.")
        if len({(kind, new) for (kind, _), new in names.blocks.items()}) < len(names.blocks):
            raise AttachError("rename gives two fusions or routes the same name.")
        return names

    def _provisional_names(self) -> Names:
        """Names that nothing on the model has."""
        runtime, manifest, mark = self.model.adapter_runtime, self.manifest, "~"
        taken = [
            *runtime.injection.configs,
            *runtime.heads.names(),
            *(key for _, key in runtime.injection.blocks),
        ]
        while any(name.startswith(mark) for name in taken):
            mark += "~"
        saved = dict.fromkeys(entry.name for entry in (*manifest.adapters, *manifest.heads))
        names = {name: f"{mark}{number}" for number, name in enumerate(saved)}
        learned = {block: f"{mark}{number}" for number, block in enumerate(manifest.blocks)}
        return Names.of(manifest, names, learned)

    def _check_free(self, final: Names, *, overwrite: bool) -> None:
        injection = self.model.adapter_runtime.injection
        there = [name for name in final.adapters.values() if name in injection.configs]
        there += [new for (kind, _), new in final.blocks.items() if (kind, new) in injection.blocks]
        entry = self.manifest.embeddings
        there += [entry.name] if entry is not None and entry.name in self.model.loaded_embeddings else []
        _refuse(there, overwrite=overwrite)
        merged = injection.merged()
        baked = set(there) & set(merged.names()) if merged is not None else set()
        if baked:
            raise AttachError(f"{listing(baked)} is merged into the weights: reset_adapter() first.")

    def _check_free_heads(self, found: setups.InspectedSetup, final: Names, *, overwrite: bool) -> None:
        heads = self.model.adapter_runtime.heads.names()
        names = [final.head(name) for name in found.head_names()]
        if len(set(names)) < len(names):
            raise AttachError(f"rename gives two heads the same name, of {listing(names)}.")
        _refuse([name for name in names if name in heads], overwrite=overwrite)

    def _attach_embeddings(self, undo: "_Undo", *, strict: bool) -> None:
        entry, model = self.manifest.embeddings, self.model
        if entry is None:
            return
        found = model._inspect_embeddings(self.folder / entry.folder, strict=strict)
        tokenizer = embeddings.read_tokenizer(found)
        undo.embeddings, undo.replaced = entry.name, model._take_vocabulary(entry.name)
        self._report("embeddings", entry.name, model._attach_embeddings(found, entry.name, tokenizer))

    def _attach(self, found: setups.InspectedSetup, final: Names, here: Names) -> None:
        runtime, like = self.model.adapter_runtime, like_of(self.model)
        injection, heads = runtime.injection, runtime.heads
        for name, adapter in found.adapters.items():
            report = native.attach(adapter, injection, heads, here.adapters[name], like)
            self._report("adapters", final.adapters[name], report)
        for name, head in found.heads.items():
            self._report("heads", final.heads[name], head_files.attach(head, heads, here.heads[name], like))
        for key, block in found.blocks.items():
            adapters = tuple(here.adapters[name] for name in block.manifest.adapters)
            report = blocks.attach(block, injection, heads, here.blocks[key], adapters, like)
            self._report(key[0], final.blocks[key], report)
        for group in self.manifest.shared:
            injection.share([here.adapters[name] for name in group])

    def _activate(self, names: Names) -> None:
        heads = tuple(names.head(name) for name in self.manifest.active_heads)
        skipped = self.manifest.skip_layers
        self.model.set_active_adapters(names.composition, head=heads or None, skip_layers=skipped)

    def _take_names(self, found: setups.InspectedSetup, final: Names, here: Names) -> None:
        """What had the names goes, and everything gets its own."""
        model, runtime = self.model, self.model.adapter_runtime
        for (kind, _), name in final.blocks.items():
            if (kind, name) in runtime.injection.blocks:
                model._delete_learned(kind, name)
        for name in final.adapters.values():
            if name in runtime.injection.configs:
                model.delete_adapter(name)
        for name in found.head_names():
            if final.head(name) in runtime.heads.names():
                model.delete_head(final.head(name))
            runtime.heads.rename(here.head(name), final.head(name))
        adapters = {here.adapters[name]: new for name, new in final.adapters.items()}
        learned = {(key[0], here.blocks[key]): new for key, new in final.blocks.items()}
        rename(runtime.injection, adapters, learned)

    def _report(self, kind: str, name: str, report: LoadReport) -> None:
        self.reports.append(replace(report, name=f"{kind}/{name}"))


class _Undo:
    """What there was before, to be put back."""

    def __init__(self, model: EmbeddingFiles) -> None:
        runtime = model.adapter_runtime
        self._model = model
        self._adapters = set(runtime.injection.configs)
        self._blocks = set(runtime.injection.blocks)
        self._heads = set(runtime.heads.names())
        self._active = (runtime.injection.block, runtime.active_heads, runtime.injection.skipped)
        self._vocabulary = model.active_embeddings
        self._had_others = model._vocabulary_store() is not None
        self.is_needed = True
        self.embeddings: str | None = None
        self.replaced: Vocabulary | None = None

    def run(self) -> None:
        """Take off what was brought, and let act what acted."""
        model, runtime = self._model, self._model.adapter_runtime
        model.set_active_adapters(None)
        for block in set(runtime.injection.blocks) - self._blocks:
            runtime.injection.remove_block(*block)
        for name in set(runtime.injection.configs) - self._adapters:
            runtime.injection.remove(name)
        for name in set(runtime.heads.names()) - self._heads:
            runtime.heads.remove(name)
        if self.embeddings is not None:
            model._restore_vocabulary(self.embeddings, self.replaced, self._vocabulary)
            if not self._had_others:
                model._drop_embeddings()
        composition, heads, skipped = self._active
        model.set_active_adapters(composition, head=heads or None, skip_layers=skipped)
        model._note_keys()


def _refuse(there: Iterable[str], *, overwrite: bool) -> None:
    names = listing(there)
    if names != "none" and not overwrite:
        raise AttachError(
            f"The set-up brings {names}, which is on this model already: overwrite=True replaces it, "
            "rename={…} gives another name."
        )
