"""Other vocabularies: token embeddings that are added, exchanged and trained beside the model's own."""

import sys
from typing import Any

from torch import nn

from adapter_lib.model.activation import Activation
from adapter_lib.model.vocabulary import (
    DEFAULT,
    TOKENS,
    Slot,
    Vocabulary,
    VocabularyStore,
    copy_rows,
    fresh,
    put,
    sizes_of,
    slots_of,
    token_embedding,
)
from adapter_lib.points import CHILD_PREFIX, hang, unhang
from adapter_lib.spec.composition import check_adapter_name
from adapter_lib.spec.errors import AttachError
from adapter_lib.spec.roles import TOKENS_ROLE

_STORE = "embeddings"
# Kinds of places whose parameters are made for one vocabulary.
_BOUND = ("embedding", "logits", "linear")


class Embeddings(Activation):
    """Which vocabulary the model reads and writes.

    A vocabulary is the token embeddings, and in a model that predicts tokens the head over them: a tied head
    follows, one of its own and biases are exchanged too. The model's own vocabulary is called "default"; its
    numbers are never changed.
    """

    def add_embeddings(
        self,
        name: str,
        tokenizer: Any,
        reference_embedding: str = DEFAULT,
        reference_tokenizer: Any = None,
        embedding_dim: int | None = None,
    ) -> int:
        """Add embeddings for a tokenizer's vocabulary and let them act; returns how many tokens were copied.

        Tokens that are also in the reference's vocabulary start with the reference's numbers, all others with
        what the model's class starts with. Nothing is copied where the reference's tokenizer is not known.

        reference_embedding: the vocabulary, by name, whose numbers are copied; "default": the model's own.
        reference_tokenizer: by default the one that the reference was added or loaded with; the model's own
        ("default") is known only if it is given here. embedding_dim: must be the model's own width.
        Raises CompositionError for a name that cannot be, UnknownNameError for a reference that is not there,
        AttachError for a name that exists, a model without token embeddings, and an adapter that acts on the
        token matrix itself.
        """
        check_adapter_name(name)
        slots = slots_of(self)
        width = slots[TOKENS].tensor.shape[1]
        if embedding_dim not in (None, width):
            raise AttachError(
                f"embedding_dim is {embedding_dim}, but the model's embeddings are {width} wide."
            )
        if name in self.loaded_embeddings:
            raise AttachError(f"There are embeddings {name!r} already: delete_embeddings() first.")
        self._check_exchangeable(slots)
        vocabulary, padding = _numbers(tokenizer), _padding(tokenizer)
        self._check_padding(padding)
        reference = self._vocabularies(slots).get(reference_embedding)
        known = reference_tokenizer if reference_tokenizer is not None else reference.tokenizer
        added = fresh(self, slots, max(vocabulary.values()) + 1, padding, tokenizer)
        pairs = {} if known is None else _overlap(vocabulary, _numbers(known), reference)
        copy_rows(reference, added, pairs)
        self._hold_vocabulary(name, added)
        return len(pairs)

    @property
    def loaded_embeddings(self) -> dict[str, int]:
        """The vocabularies there are, each with its number of tokens."""
        store = self._vocabulary_store()
        if store is not None:
            return {name: store.get(name).count() for name in store.names()}
        return {DEFAULT: token_embedding(self).num_embeddings}

    @property
    def active_embeddings(self) -> str:
        """The vocabulary that the model reads and writes; "default" is its own."""
        store = self._vocabulary_store()
        return DEFAULT if store is None else store.active

    def set_active_embeddings(self, name: str) -> None:
        """Let the model read and write a vocabulary; its `config.vocab_size` is then that vocabulary's.

        Adapters stay where they are, those on what the embeddings give ("embed") too.
        Raises UnknownNameError, or AttachError if an adapter acts on the token matrix itself.
        """
        if name == self.active_embeddings:
            return
        slots = slots_of(self)
        self._vocabularies(slots).get(name)
        self._check_exchangeable(slots)
        self._put(slots, name)

    def delete_embeddings(self, name: str) -> None:
        """Drop a vocabulary; if it is active, the model's own acts again.

        Raises UnknownNameError, or AttachError for the model's own.
        """
        if name == DEFAULT:
            raise AttachError("The model's own embeddings cannot be deleted.")
        slots = slots_of(self)
        self._vocabularies(slots).get(name)
        if name == self.active_embeddings:
            self.set_active_embeddings(DEFAULT)
        self._vocabularies(slots).remove(name)
        self._note_keys()

    def _hold_vocabulary(self, name: str, added: Vocabulary) -> None:
        """Hold a vocabulary and let it act."""
        slots = slots_of(self)
        self._vocabularies(slots).add(name, added)
        self._put(slots, name)
        self._note_keys()

    def _put(self, slots: dict[str, Slot], name: str) -> None:
        put(self._vocabularies(slots), slots, name)
        # The widths of places are read off the modules.
        self.adapter_runtime.injection.atlas.forget_places()

    def _take_vocabulary(self, name: str) -> Vocabulary | None:
        """Take a vocabulary off, if there is one of the name, to make room for another."""
        store = self._vocabulary_store()
        if store is None or name not in store.names():
            return None
        found = store.get(name)
        self.delete_embeddings(name)
        return found

    def _restore_vocabulary(self, name: str, former: Vocabulary | None, active: str) -> None:
        """Have again under a name what there was, if anything was, and let act what was active."""
        slots = slots_of(self)
        store = self._vocabularies(slots)
        self._put(slots, DEFAULT)
        if name in store.names():
            store.remove(name)
        if former is not None:
            store.add(name, former)
        self._put(slots_of(self), active)
        self._note_keys()

    def _drop_embeddings(self) -> None:
        """The model's own embeddings, and no trace of others."""
        if self._vocabulary_store() is not None:
            self._put(slots_of(self), DEFAULT)
            unhang(self, _STORE)

    def _trainable_embeddings(self) -> list[nn.Parameter]:
        """The parameters of the active embeddings. Raises AttachError if they are the model's own."""
        store = self._vocabulary_store()
        if store is None or store.active == DEFAULT:
            raise AttachError(
                "train_embeddings trains the active embeddings, but those are the model's own, which stay as "
                "they are: add_embeddings() first."
            )
        return list(store.get(store.active).parameters())

    def _vocabulary_store(self) -> VocabularyStore | None:
        found = self._modules.get(CHILD_PREFIX + _STORE)
        return found if isinstance(found, VocabularyStore) else None

    def _vocabularies(self, slots: dict[str, Slot]) -> VocabularyStore:
        """The vocabularies, the model's own among them from now on."""
        store = self._vocabulary_store()
        if store is None:
            self._check_read(slots)
            own = {role: slot.tensor for role, slot in slots.items()}
            padding = token_embedding(self).padding_idx
            store = VocabularyStore(Vocabulary(own, padding), sizes_of(self, slots))
            hang(self, _STORE, store)
            self._note_keys()
        return store

    def _check_read(self, slots: dict[str, Slot]) -> None:
        """Some models give out embeddings that nothing reads, where they are configured not to tie them."""
        spots = self.adapter_runtime.injection.atlas.spots.values()
        tables = {spot.module for spot in spots if spot.place.role == TOKENS_ROLE}
        if tables and not tables & {module for module, _ in slots[TOKENS].holders}:
            raise AttachError(
                f"{type(self).__name__}: none of its towers reads the embeddings that it gives out, so they "
                "cannot be exchanged."
            )

    def _check_exchangeable(self, slots: dict[str, Slot]) -> None:
        held = {module for slot in slots.values() for module, _ in slot.holders}
        for point in self.adapter_runtime.injection.points.points.values():
            served = getattr(point, "served", ())
            if point.place.kind in _BOUND and held & set(served) and point.parts():
                raise AttachError(
                    f"{next(iter(point.parts()))!r} acts on {point.place.key} itself, so it belongs to the "
                    f"vocabulary {self.active_embeddings!r}: delete it before embeddings are exchanged."
                )

    def _check_padding(self, padding: int | None) -> None:
        embedding = token_embedding(self)
        for module in self.modules():
            is_around = any(child is embedding for child in module.children())
            counted = getattr(module, "padding_idx", None)
            if is_around and _tells_positions(module) and counted != padding:
                raise AttachError(
                    f"{type(module).__name__} counts positions from the token that pads, {counted}; the "
                    f"tokenizer's is {padding}: give it the number {counted}."
                )


def _tells_positions(module: nn.Module) -> bool:
    """True for embeddings that count the positions of tokens that are no padding, as RoBERTa's do."""
    name = "create_position_ids_from_input_ids"
    return hasattr(module, name) or hasattr(sys.modules[type(module).__module__], name)


def _numbers(tokenizer: Any) -> dict[str, int]:
    """The numbers of a tokenizer's tokens. Raises AttachError for one without any."""
    found: dict[str, int] = dict(tokenizer.get_vocab()) if hasattr(tokenizer, "get_vocab") else {}
    if not found:
        raise AttachError(f"{type(tokenizer).__name__} is no tokenizer with a vocabulary.")
    return found


def _padding(tokenizer: Any) -> int | None:
    found = getattr(tokenizer, "pad_token_id", None)
    return found if isinstance(found, int) else None


def _overlap(vocabulary: dict[str, int], known: dict[str, int], reference: Vocabulary) -> dict[int, int]:
    """The numbers of the tokens that both have: in the added vocabulary → in the reference."""
    pairs = {number: known[token] for token, number in vocabulary.items() if token in known}
    beyond = [number for number in pairs.values() if number >= reference.count()]
    if beyond:
        raise AttachError(
            f"The reference's tokenizer has the token {max(beyond)}, but its embeddings have only "
            f"{reference.count()}: it is another model's tokenizer."
        )
    return pairs
