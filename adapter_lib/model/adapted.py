"""The class a prepared model has.

It is a subclass of the model's own class under the same name, so that whatever asks for a name, a file or an
`isinstance` gets the answer it got before.
"""

import functools
import inspect
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from torch import nn
from transformers import PreTrainedModel
from transformers.trainer_utils import PREFIX_CHECKPOINT_DIR

from adapter_lib.engine import check_batch, replicate, rows_of
from adapter_lib.model.forward import run, task_numbers
from adapter_lib.model.predicting import check_generates
from adapter_lib.model.runtime import repeated_keys
from adapter_lib.spec.errors import AttachError

# What a prepared model takes besides its own arguments; Trainer drops columns that no argument is named for.
_UNDERSTOOD = ("labels", "task_ids", "start_positions", "end_positions", "word_starts")
_CHECKPOINT = re.compile(PREFIX_CHECKPOINT_DIR + r"-\d+")
_CLASSES: dict[tuple[type, type], type[nn.Module]] = {}


def adapted_class(base: type[nn.Module], facade: type) -> type[nn.Module]:
    """The subclass of a model class that carries the facade's methods; one per class."""
    if (base, facade) not in _CLASSES:
        _CLASSES[base, facade] = _make_class(base, facade)
    return _CLASSES[base, facade]


def _make_class(base: type[nn.Module], facade: type) -> type[nn.Module]:
    members: dict[str, Any] = {
        "__module__": base.__module__,
        "__qualname__": base.__qualname__,
        "__doc__": base.__doc__,
        "__reduce_ex__": _reduce,
        "forward": _forward_of(base),
        "adapter_base_class": base,
        "adapter_facade": facade,
    }
    if hasattr(base, "save_pretrained"):
        members["save_pretrained"] = _save_of(base)
    if hasattr(base, "generate"):
        members["generate"] = _generate_of(base)
    return type(base.__name__, (facade, base), members)


def _forward_of(base: Any) -> Callable[..., Any]:
    original = base.forward

    def forward(self: Any, *args: Any, **kwargs: Any) -> Any:
        if getattr(self, "_is_replica", False):
            raise AttachError(
                "nn.DataParallel runs copies of the model in threads that share what adapters keep between "
                "two hooks, which would mix up their batches; use DistributedDataParallel."
            )
        return run(self, self.adapter_runtime, original, args, kwargs)

    forward.__doc__ = original.__doc__
    if issubclass(base, PreTrainedModel):
        # Trainer and generate read the signature: it is the model's own, and more is always understood.
        forward.__signature__ = _extended(inspect.signature(original))  # type: ignore[attr-defined]
    return forward


def takes_labels(base: Any) -> bool:
    """True if a model class's own forward has an argument `labels`."""
    return "labels" in inspect.signature(base.forward).parameters


def _extended(signature: inspect.Signature) -> inspect.Signature:
    names = [name for name in _UNDERSTOOD if name not in signature.parameters]
    added = [inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None) for name in names]
    parameters = list(signature.parameters.values())
    has_var_keyword = bool(parameters) and parameters[-1].kind is inspect.Parameter.VAR_KEYWORD
    at = len(parameters) - has_var_keyword
    return signature.replace(parameters=[*parameters[:at], *added, *parameters[at:]])


def _generate_of(base: Any) -> Callable[..., Any]:
    original = base.generate

    @functools.wraps(original)
    def generate(self: Any, *args: Any, **kwargs: Any) -> Any:
        runtime, call = self.adapter_runtime, self.adapter_runtime.injection.call
        check_generates(runtime)
        call.tasks = task_numbers(runtime, kwargs.pop("task_ids", None))
        if runtime.injection.block is not None:
            check_batch(runtime.injection.block, call.tasks, rows_of(args, kwargs))
        if runtime.channels > 1:
            args, kwargs = replicate(args, kwargs, runtime.channels)
            call.tasks = None if call.tasks is None else call.tasks.repeat(runtime.channels)
        runtime.is_generating = runtime.is_replicated = True
        try:
            return original(self, *args, **kwargs)
        finally:
            runtime.is_generating = runtime.is_replicated = False

    return generate


def _save_of(base: Any) -> Callable[..., Any]:
    original = base.save_pretrained

    @functools.wraps(original)
    def save_pretrained(self: Any, save_directory: str | os.PathLike[str], *args: Any, **kwargs: Any) -> Any:
        # Trainer resumes from, and goes back to, its checkpoint folders: these must hold the adapters too.
        is_checkpoint = _CHECKPOINT.fullmatch(Path(save_directory).name)
        ignored = self._keys_to_ignore_on_save
        if is_checkpoint:
            # What adapters share is written once; loading it into a model that shares it fills them all.
            self._keys_to_ignore_on_save = self.adapter_runtime.ignored_on_save | repeated_keys(self)
        try:
            return original(self, save_directory, *args, **kwargs)
        finally:
            self._keys_to_ignore_on_save = ignored

    return save_pretrained


def _reduce(self: Any, protocol: Any) -> tuple[Any, ...]:
    """Copying and pickling name the original class, which can be imported, and make the subclass again."""
    return _rebuild, (self.adapter_base_class, self.adapter_facade), self.__dict__


def _rebuild(base: type[nn.Module], facade: type) -> nn.Module:
    cls = adapted_class(base, facade)
    return cls.__new__(cls)
