"""A backbone and its tokenizer, as a task needs them."""

from dataclasses import dataclass
from typing import Any

import transformers
from huggingface_hub.errors import HfHubHTTPError, StrictDataclassError
from safetensors import SafetensorError

from adapter_lib.families import list_families
from adapter_lib.model import AdapterModel
from adapter_lib.spec.configs import MethodConfig, PrefixTuningConfig
from adapter_lib.spec.configs.prompt_tuning import SoftPromptConfig
from adapter_lib.spec.errors import LoadError
from adapter_lib.tasks.errors import TaskError
from adapter_lib.tasks.task import Task

# What transformers raises for what it cannot find, reach, read or build.
_NOT_LOADED = (
    OSError, ValueError, KeyError, TypeError, AttributeError, RuntimeError, ImportError, HfHubHTTPError,
    SafetensorError, StrictDataclassError
)  # fmt: skip
_LONGEST_REASON = 300


@dataclass(frozen=True)
class Backbone:
    """A model in eval mode with its tokenizer; `name` is what it was loaded from."""

    name: str
    model: Any
    tokenizer: Any

    def most_tokens(self) -> int | None:
        """The longest text that the model reads beside the soft tokens of its adapters; None: not known."""
        told = getattr(self.model.config, "max_position_embeddings", None)
        # Tokenizers that know no limit say 10^30. Positions of RoBERTa start behind the padding's.
        padding = getattr(self.model.config, "pad_token_id", None) or 0
        own = told - padding - 1 if isinstance(told, int) and self._counts_from_padding() else told
        known = [n for n in (own, self.tokenizer.model_max_length) if isinstance(n, int) and 0 < n < 10**9]
        most = min(known, default=None)
        return None if most is None else most - self._soft_tokens()

    def _soft_tokens(self) -> int:
        if not isinstance(self.model, AdapterModel):
            return 0
        configs = self.model.adapter_runtime.injection.configs.values()
        return sum(_soft_tokens(member) for config in configs for member in config.members())

    def _counts_from_padding(self) -> bool:
        return any(hasattr(module, "create_position_ids_from_input_ids") for module in self.model.modules())


def open_backbone(name: str, task: Task[Any, Any], *, revision: str | None = None) -> Backbone:
    """The backbone in a folder or of an id. Raises LoadError, TaskError for one that cannot do the task."""
    auto: Any = getattr(transformers, task.auto)
    options = {"revision": revision, "trust_remote_code": False}
    try:
        config = transformers.AutoConfig.from_pretrained(name, **options)
        _check_kind(config, task)
        model = auto.from_pretrained(name, **options)
        tokenizer: Any = transformers.AutoTokenizer.from_pretrained(name, **options, **_extras(task))
    except _NOT_LOADED as error:
        raise LoadError(f"The backbone {name!r} could not be loaded: {_reason(error)}") from error
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token = tokenizer.eos_token or tokenizer.unk_token
    _check_tokenizer(name, tokenizer, task)
    if getattr(model.config, "pad_token_id", None) is None:
        model.config.pad_token_id = tokenizer.pad_token_id
    return Backbone(name, model.eval(), tokenizer)


def _soft_tokens(config: MethodConfig) -> int:
    """The positions that a method takes from the text."""
    if isinstance(config, SoftPromptConfig):
        return config.prompt_length
    is_shifting = isinstance(config, PrefixTuningConfig) and config.shift_positions
    return int(config.size()) if is_shifting else 0


def _extras(task: Task[Any, Any]) -> dict[str, Any]:
    # Byte-level tokenizers read words one by one only so.
    return {"add_prefix_space": True} if task.name == "tagging" else {}


def _check_kind(config: Any, task: Task[Any, Any]) -> None:
    model_type = config.model_type
    is_seq2seq = bool(getattr(config, "is_encoder_decoder", False))
    if task.auto == "AutoModelForSeq2SeqLM" and not is_seq2seq:
        raise TaskError(f"{task.name} needs an encoder-decoder such as T5 or BART, and {model_type} is none.")
    if task.auto == "AutoModelForCausalLM" and (is_seq2seq or _reads_both_ways(model_type)):
        raise TaskError(f"{task.name} needs a decoder such as GPT-2 or LLaMA, and {model_type} is none.")


def _reads_both_ways(model_type: str) -> bool:
    towers = next((f.towers for f in list_families() if model_type in f.model_types), ())
    return towers == ("encoder",)


def _check_tokenizer(name: str, tokenizer: Any, task: Task[Any, Any]) -> None:
    if tokenizer.pad_token_id is None:
        raise TaskError(f"The tokenizer of {name!r} has no token to pad with: give it a pad_token.")
    if task.needs_fast_tokenizer and not tokenizer.is_fast:
        raise TaskError(f"{task.name} needs a fast tokenizer, which {name!r} has not.")


def _reason(error: Exception) -> str:
    text = " ".join(str(error).split()) or type(error).__name__
    return text if len(text) <= _LONGEST_REASON else f"{text[:_LONGEST_REASON]}…"
