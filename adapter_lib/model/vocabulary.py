"""Everything of a model that has a row per token, and putting another vocabulary's in its place.

The modules stay: only their parameters are exchanged, so hooks, adapters and device maps stay where they are.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from adapter_lib.points import CHILD_PREFIX
from adapter_lib.spec.errors import AttachError, UnknownNameError, listing

DEFAULT = "default"
# The roles of tensors with a row per token: what goes in, a head that is not tied to it, and its biases.
TOKENS, HEAD, BIAS, LOGITS_BIAS = "tokens", "head", "bias", "logits_bias"
_CHILD = "vocabulary:"


@dataclass(frozen=True)
class Slot:
    """One tensor with a row per token, and every (module, attribute) that has it; tied ones are one slot."""

    role: str
    tensor: Tensor
    holders: tuple[tuple[nn.Module, str], ...]


class Vocabulary(nn.Module):
    """The tensors of one vocabulary, by role.

    padding: the token that pads. tokenizer: the one it was made with, if that is known.
    """

    def __init__(self, tensors: Mapping[str, Tensor], padding: int | None, tokenizer: Any = None) -> None:
        super().__init__()
        for role, tensor in tensors.items():
            if isinstance(tensor, nn.Parameter):
                self.register_parameter(role, tensor)
            else:
                # A copy: what two modules have in common can be saved only if it is a parameter.
                self.register_buffer(role, tensor.detach().clone())
        self.padding = padding
        self.tokenizer = tokenizer

    def tensors(self) -> dict[str, Tensor]:
        """The tensors by role."""
        return self.state_dict(keep_vars=True)

    def count(self) -> int:
        """How many tokens there are."""
        return len(self.tensors()[TOKENS])


class VocabularyStore(nn.Module):
    """The vocabularies of one model by name, the model's own among them.

    sizes: the configs and modules that say how many tokens there are, with what they said at first.
    """

    def __init__(self, own: Vocabulary, sizes: tuple[tuple[Any, int], ...]) -> None:
        super().__init__()
        self.active = DEFAULT
        self.sizes = sizes
        self.add(DEFAULT, own)

    def names(self) -> tuple[str, ...]:
        """The vocabularies there are."""
        return tuple(name.removeprefix(_CHILD) for name, _ in self.named_children())

    def add(self, name: str, vocabulary: Vocabulary) -> None:
        """Hold a vocabulary."""
        self.add_module(_CHILD + name, vocabulary)

    def get(self, name: str) -> Vocabulary:
        """The vocabulary of a name. Raises UnknownNameError listing what exists."""
        found = self._modules.get(_CHILD + name)
        if not isinstance(found, Vocabulary):
            raise UnknownNameError(f"There are no embeddings {name!r}; there are: {listing(self.names())}.")
        return found

    def remove(self, name: str) -> None:
        """Drop a vocabulary."""
        delattr(self, _CHILD + name)


def token_embedding(model: nn.Module) -> nn.Embedding:
    """The module that turns tokens into vectors. Raises AttachError for a model without one."""
    get: Any = getattr(model, "get_input_embeddings", None)
    try:
        found = None if get is None else get()
    except (NotImplementedError, AttributeError):
        found = None
    weight = getattr(found, "weight", None)
    if not isinstance(found, nn.Embedding) or type(weight) is not nn.Parameter:
        raise AttachError(f"{type(model).__name__} has no plain token embeddings that could be exchanged.")
    return found


def slots_of(model: nn.Module) -> dict[str, Slot]:
    """What there is with a row per token, by role. Raises AttachError for a model without it."""
    embedding = token_embedding(model)
    found = {TOKENS: embedding.weight} | _outputs(model, embedding)
    return {role: Slot(role, tensor, tuple(_holders(model, tensor))) for role, tensor in found.items()}


def _outputs(model: nn.Module, embedding: nn.Embedding) -> dict[str, Tensor]:
    """The output side; nothing where the head has a vocabulary of its own, as in an encoder-decoder pair."""
    get: Any = getattr(model, "get_output_embeddings", None)
    head = get() if get is not None else None
    weight = getattr(head, "weight", None)
    if head is None or weight is None or len(weight) != embedding.num_embeddings:
        return {}
    found: dict[str, Tensor] = {}
    if weight is not embedding.weight:
        if any(isinstance(module, nn.Embedding) for module, _ in _holders(model, weight)):
            return {}
        found[HEAD] = weight
    if getattr(head, "bias", None) is not None:
        found[BIAS] = head.bias
    for path, buffer in model.named_buffers():
        if path.rpartition(".")[2] == "final_logits_bias" and CHILD_PREFIX not in path:
            found[LOGITS_BIAS] = buffer
    return found


def _holders(model: nn.Module, tensor: Tensor) -> Iterator[tuple[nn.Module, str]]:
    for module in model.modules():
        if not isinstance(module, Vocabulary):
            own: dict[str, Tensor | None] = {**module._parameters, **module._buffers}
            for name, value in own.items():
                if value is tensor:
                    yield module, name


def sizes_of(model: nn.Module, slots: Mapping[str, Slot]) -> tuple[tuple[Any, int], ...]:
    """The configs, and the modules, around the embeddings that say how many tokens there are."""
    count = len(slots[TOKENS].tensor)
    holders = {module for slot in slots.values() for module, _ in slot.holders}
    around = {path for path, module in model.named_modules() if module in holders}
    prefixes = {path[:end] for path in around for end in _ends(path)}
    modules = [module for path, module in model.named_modules() if path in prefixes]
    owners = [*modules, *(module.config for module in modules if hasattr(module, "config"))]
    found = {id(owner): owner for owner in owners if getattr(owner, "vocab_size", None) == count}
    return tuple((owner, count) for owner in found.values())


def _ends(path: str) -> list[int]:
    """Where the paths of a module and of all that it is in end."""
    return [0, *(at for at, letter in enumerate(path) if letter == "."), len(path)]


def put(store: VocabularyStore, slots: Mapping[str, Slot], name: str) -> None:
    """Let the model's modules have a vocabulary's tensors, and its configs that vocabulary's size."""
    vocabulary = store.get(name)
    tensors, count = vocabulary.tensors(), vocabulary.count()
    for role, slot in slots.items():
        for module, attribute in slot.holders:
            tensor = tensors[role]
            setattr(module, attribute, tensor if isinstance(tensor, nn.Parameter) else tensor.clone())
            if isinstance(module, nn.Embedding):
                module.num_embeddings, module.padding_idx = count, vocabulary.padding
            elif isinstance(module, nn.Linear) and attribute == "weight":
                module.out_features = count
    for owner, size in store.sizes:
        owner.vocab_size = size if name == DEFAULT else count
    store.active = name


def fresh(
    model: nn.Module, slots: Mapping[str, Slot], count: int, padding: int | None, tokenizer: Any = None
) -> Vocabulary:
    """A vocabulary of `count` tokens with the values that the model's class starts with."""
    return Vocabulary(
        {role: _started(model, slot, count, padding) for role, slot in slots.items()}, padding, tokenizer
    )


def _started(model: Any, slot: Slot, count: int, padding: int | None) -> Tensor:
    like = slot.tensor
    if slot.role in (BIAS, LOGITS_BIAS):
        shape = (count,) if like.dim() == 1 else (1, count)
        zeros = torch.zeros(shape, dtype=like.dtype, device=like.device)
        return nn.Parameter(zeros, like.requires_grad) if isinstance(like, nn.Parameter) else zeros
    width = like.shape[1]
    module: Any = (
        nn.Embedding(count, width, padding_idx=padding, device=like.device)
        if slot.role == TOKENS
        else nn.Linear(width, count, bias=False, device=like.device)
    )
    model._init_weights(module)
    return nn.Parameter(module.weight.detach().to(like.dtype), like.requires_grad)


def copy_rows(source: Vocabulary, target: Vocabulary, pairs: Mapping[int, int]) -> None:
    """Copy the rows of tokens; pairs: a token's number in the target → its number in the source."""
    to, of = list(pairs), list(pairs.values())
    with torch.no_grad():
        for role, tensor in target.tensors().items():
            given = source.tensors()[role]
            if role == LOGITS_BIAS and tensor.dim() > 1:
                tensor[:, to] = given[:, of]
            else:
                tensor[to] = given[of]
