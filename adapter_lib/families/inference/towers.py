"""What a tower has around its layers: its embeddings, token table, last norm, stack and name."""

from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn

from adapter_lib.families.inference.sites import is_norm
from adapter_lib.families.inference.trace import Call, Trace, same


def outside(
    trace: Trace, path: str, layers: list[Call], others: list[str], inputs: Mapping[str, Any], is_causal: bool
) -> dict[str, Any]:
    """The fields of `Tower` besides its layers."""
    own = path.partition(".")[0]
    shares = [other for other in others if other.partition(".")[0] == own]
    stack = own if others and not shares else ""
    scope = [
        call for call in trace.calls if not stack or call.path == stack or call.path.startswith(f"{stack}.")
    ]
    embed, norm = _embedding(trace, scope, layers[0]), _last_norm(trace, scope, layers[-1])
    tokens = _token_table(scope, layers[0])
    return {
        "role": _role(tokens, scope, layers[0], inputs, is_causal),
        "stack": stack,
        "embed": embed,
        "tokens": tokens,
        "norm": norm,
        "no_embed": "" if embed is not None else "no module gives the tower's first hidden state.",
    }


def _embedding(trace: Trace, scope: list[Call], first: Call) -> str | None:
    """The module that gave the first hidden state, and nothing else: the last to end of those called once."""
    calls = [
        call
        for call in scope
        if call.end < first.start and same(call.out, first.given) and len(trace.of(call.module)) == 1
    ]
    return max(calls, key=lambda call: call.end).path if calls else None


def _last_norm(trace: Trace, scope: list[Call], last: Call) -> str | None:
    final = max(trace.of(last.module), key=lambda call: call.end)
    calls = [
        call
        for call in scope
        if call.start > final.end and is_norm(call.module) and same(call.given, final.out)
    ]
    return calls[0].path if calls else None


def _token_table(scope: list[Call], first: Call) -> str | None:
    """The first table that was asked for as many rows of numbers as there are tokens."""
    for call in scope:
        table = isinstance(call.module, nn.Embedding) and call.start < first.start
        if table and isinstance(call.given, Tensor) and call.given.dim() == 2 and call.given.shape[0] > 1:
            return call.path
    return None


def _role(
    tokens: str | None, scope: list[Call], first: Call, inputs: Mapping[str, Any], is_causal: bool
) -> str:
    if tokens is not None:
        alone = not any(name in inputs for name in ("pixel_values", "input_values", "input_features"))
        return "decoder" if is_causal else "encoder" if alone else "text"
    if "pixel_values" in inputs:
        return "vision"
    return "audio" if "input_values" in inputs or "input_features" in inputs else "encoder"
