"""Heads in place of the model's own: what they are given, their scores, their losses."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn
from transformers.modeling_outputs import Seq2SeqModelOutput
from transformers.utils.generic import ModelOutput

from adapter_lib.heads import Head, MultiHeadOutput, row_split, shares_of
from adapter_lib.heads.given import Given
from adapter_lib.methods.invertible import Coupling
from adapter_lib.model.head_labels import Asked
from adapter_lib.model.runtime import Runtime
from adapter_lib.spec.composition import Parallel, Stack
from adapter_lib.spec.errors import AttachError

# What a model with a language-model head takes and its base model does not.
_HEAD_ONLY = ("logits_to_keep",)

_GENERATING = ("causal_lm", "seq2seq_lm", "custom")

Forward = Callable[..., Any]


def predict(
    model: nn.Module,
    runtime: Runtime,
    forward: Forward,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    asked: Asked,
) -> Any:
    """The output of the active heads on the base model's hidden states."""
    heads = [runtime.heads.get(name) for name in runtime.active_heads]
    asked = asked.read(kwargs, heads)
    as_tuple = kwargs.pop("return_dict", None) is False
    kept = _positions_kept(kwargs, heads, asked)
    given = _given(model, args, kwargs, asked)
    out = _base_output(model, forward, args, _with_decoder_inputs(model, runtime, args, kwargs, asked))
    hidden = getattr(out, "last_hidden_state", None)
    if hidden is None:
        raise AttachError(f"{type(model).__name__} returns no hidden states for a head to read.")
    hidden, given = hidden[:, kept], _fitting(given, kwargs, hidden)
    if len(heads) == 1:
        result: ModelOutput = _single(runtime, heads[0], hidden, given, asked, out)
    else:
        result = _several(runtime, heads, hidden, given, asked)
    return result.to_tuple() if as_tuple else result


def check_generates(runtime: Runtime) -> None:
    """Refuse to generate with heads that say nothing of a next token. Raises AttachError."""
    types = [runtime.heads.get(name).spec.type for name in runtime.active_heads]
    if types and (len(types) > 1 or types[0] not in _GENERATING):
        raise AttachError(
            f"generate needs one active head over the vocabulary, or none for the model's own; active are "
            f"{', '.join(runtime.active_heads)}: set active_head."
        )


def _single(
    runtime: Runtime, head: Head[Any], hidden: Tensor, given: Given, asked: Asked, out: ModelOutput
) -> ModelOutput:
    names = tuple(dict.fromkeys(name for share in _shares(runtime) for name in share))
    scores = head.scores(hidden, _undoing(given, runtime, head, names))
    labels = asked.of(0, runtime.active_heads[0], head, slice(None), 1)
    return head.output(None if labels is None else head.loss(scores, labels, asked.items), scores, out)


def _several(
    runtime: Runtime, heads: Sequence[Head[Any]], hidden: Tensor, given: Given, asked: Asked
) -> MultiHeadOutput:
    rows = runtime.head_rows(hidden.shape[0], len(heads))
    shares = _shares(runtime)
    shares = shares if len(shares) == len(heads) else shares * len(heads)
    logits, losses = [], []
    for number, (head, own, names) in enumerate(zip(heads, rows, shares, strict=False)):
        scores = head.scores(hidden[own], _undoing(given.rows(own), runtime, head, names))
        labels = asked.of(number, runtime.active_heads[number], head, own, hidden.shape[0])
        logits.append(scores[0] if len(scores) == 1 else scores)
        if labels is not None:
            # No row: the mean over nothing would be no number.
            losses.append(head.loss(scores, labels, asked.items) if len(scores[0]) else scores[0].sum())
    if len(losses) < len(heads):
        return MultiHeadOutput(loss=sum(losses[1:], losses[0]) if losses else None, logits=tuple(logits))
    return MultiHeadOutput(loss=sum(losses[1:], losses[0]), logits=tuple(logits), losses=tuple(losses))


def _shares(runtime: Runtime) -> list[tuple[str, ...]]:
    block = runtime.injection.block
    return [()] if block is None else shares_of(block)


def _given(model: nn.Module, args: tuple[Any, ...], kwargs: Mapping[str, Any], asked: Asked) -> Given:
    config: Any = getattr(model, "config", None)
    ids = kwargs.get("input_ids", args[0] if args else None)
    get: Any = getattr(model, "get_input_embeddings", None)
    eos = getattr(config, "eos_token_id", None)
    return Given(
        mask=_mask(args, kwargs),
        ids=ids if isinstance(ids, Tensor) and ids.dim() == 2 and not ids.is_floating_point() else None,
        extra=asked.extra,
        eos=tuple(eos) if isinstance(eos, list) else eos,
        embeddings=_table(get) if get is not None else None,
        choices=asked.choices,
    )


def _table(get: Callable[[], Any]) -> Tensor | None:
    try:
        found = getattr(get(), "weight", None)
    except NotImplementedError:
        return None
    return found if isinstance(found, Tensor) and found.dim() == 2 else None


def _mask(args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Tensor | None:
    """The attention mask [B, S]; every family takes it as its second argument."""
    mask = kwargs.get("attention_mask", args[1] if len(args) > 1 else None)
    if mask is None or (isinstance(mask, Tensor) and mask.dim() == 2):
        return mask
    raise AttachError(
        "A classification head pools over tokens: it needs attention_mask as a tensor [batch, tokens]."
    )


def _fitting(given: Given, kwargs: Mapping[str, Any], hidden: Tensor) -> Given:
    """The decoder's own mask for its states; none where a mask is of other tokens than the states."""
    own = kwargs.get("decoder_attention_mask")
    mask = own if isinstance(own, Tensor) else given.mask
    has_decoder = "decoder_input_ids" in kwargs or "decoder_inputs_embeds" in kwargs
    if mask is not None and has_decoder and mask.shape[1] != hidden.shape[1]:
        mask = None
    return replace(given, mask=mask)


def _positions_kept(kwargs: dict[str, Any], heads: Sequence[Head[Any]], asked: Asked) -> Any:
    """The positions that scores are wanted of (`logits_to_keep`), for heads with scores per position."""
    keep = kwargs.get("logits_to_keep", 0)
    if not all(head.is_per_position for head in heads) or asked.has_labels():
        return slice(None)
    return keep if isinstance(keep, Tensor) else slice(-keep, None) if keep else slice(None)


def _with_decoder_inputs(
    model: Any, runtime: Runtime, args: tuple[Any, ...], kwargs: dict[str, Any], asked: Asked
) -> dict[str, Any]:
    """A decoder's inputs, where a call leaves them out: the labels or the inputs, one to the right."""
    config = getattr(model, "config", None)
    is_given = any(kwargs.get(name) is not None for name in ("decoder_input_ids", "decoder_inputs_embeds"))
    if not getattr(config, "is_encoder_decoder", False) or is_given:
        return kwargs
    names = runtime.active_heads
    types = [runtime.heads.get(name).spec.type for name in names]
    found = [number for number, kind in enumerate(types) if kind == "seq2seq_lm"]
    labels = asked.for_decoder(found[0], names[found[0]]) if found else None
    if labels is not None:
        return {**kwargs, "decoder_input_ids": _shifted(model, labels)}
    ids = kwargs.get("input_ids", args[0] if args else None)
    shift: Any = getattr(model, "_shift_right", None)
    return kwargs if shift is None or ids is None else {**kwargs, "decoder_input_ids": shift(ids)}


def _shifted(model: Any, labels: Tensor) -> Tensor:
    own: Any = getattr(model, "prepare_decoder_input_ids_from_labels", None)
    if own is not None:
        found: Tensor = own(labels)
        return found
    config = model.config
    shifted = torch.full_like(labels, config.decoder_start_token_id)
    shifted[:, 1:] = labels[:, :-1]
    return shifted.masked_fill(shifted == -100, config.pad_token_id)


def _base_output(model: nn.Module, forward: Forward, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
    """The base model's output; a head of the model's own is passed by."""
    kept = {name: value for name, value in kwargs.items() if name not in _HEAD_ONLY}
    base: Any = getattr(model, "base_model", model)
    if base is not model:
        return base(*args, **kept, return_dict=True)
    if getattr(getattr(model, "config", None), "is_encoder_decoder", False) and _has_own_head(model):
        return _beside_own_head(model, forward, args, kept)
    return forward(model, *args, **kept, return_dict=True)


def _has_own_head(model: Any) -> bool:
    return model.get_output_embeddings() is not None


def _beside_own_head(model: Any, forward: Forward, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """The decoder's states of a model that has no base model of its own, such as T5; its head runs too."""
    found: list[Tensor] = []
    handle = model.get_decoder().register_forward_hook(lambda _, __, output: found.append(output[0]))
    try:
        output = forward(model, *args, **kwargs, return_dict=True)
    finally:
        handle.remove()
    return Seq2SeqModelOutput(
        last_hidden_state=found[-1],
        **{name: value for name, value in output.items() if name not in ("loss", "logits")},
    )


def _undoing(given: Given, runtime: Runtime, head: Head[Any], names: tuple[str, ...]) -> Given:
    """With the inverses of the invertible adapters that acted on a head's share, the last one first."""
    if not head.is_per_position:
        return given
    injection = runtime.injection
    undone = [
        coupling
        for name in reversed(names)
        for coupling in reversed(injection.shared_parts(name).values())
        if isinstance(coupling, Coupling)
    ]
    if not undone:
        return given
    if not _is_told_apart(runtime):
        raise AttachError(
            f"{injection.block!r} mixes invertible adapters, which a language-model head would have to undo; "
            "use them alone or in a Stack, or leave the model its own head."
        )

    def undo(x: Tensor) -> Tensor:
        for coupling in undone:
            x = coupling.inverse(x)
        return x

    return replace(given, undo=undo)


def _is_told_apart(runtime: Runtime) -> bool:
    """True if every active head's rows went through a Stack of adapters and nothing else."""
    block = runtime.injection.block
    split, shares = row_split(block), len(_shares(runtime))
    allowed = (Stack, Parallel) if split is None else (Stack, type(split))
    nodes = block.blocks() if block is not None else ()
    return shares in (1, len(runtime.active_heads)) and all(isinstance(node, allowed) for node in nodes)
