"""Prompt tuning (Lester et al. 2021, https://arxiv.org/abs/2104.08691): trained vectors among the tokens'."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

from adapter_lib.spec.configs.base import Aim, MethodConfig, Place, Shapes
from adapter_lib.spec.configs.checks import (
    check_choice,
    check_flags,
    check_gating,
    check_layer_ids,
    check_positive,
    check_whole,
    refuse,
    store,
)
from adapter_lib.spec.configs.registry import register_config
from adapter_lib.spec.errors import ConfigError
from adapter_lib.spec.roles import PROMPT_ROLE

PROMPT_INITS = ("random_uniform", "sample_vocabulary", "from_ids")
COMBINATIONS = ("prefix", "after_first")


class Tokenizer(Protocol):
    """What is asked of a tokenizer of transformers."""

    def __call__(self, text: str, *, add_special_tokens: bool) -> Mapping[str, Any]:
        """The text's tokens, under "input_ids"."""
        ...


@dataclass(frozen=True, eq=False, kw_only=True)
class SoftPromptConfig(MethodConfig):
    """X = E(x) [S, d] becomes [P; X] with P [prompt_length, d] in the tower's first hidden state.

    Text: E is the token embedding, d its width; position and type embeddings and norms follow as for any
    token, and positions count the prompt. Pictures and sound: E is what goes into the first layer, positions
    included (Jia et al. 2022, https://arxiv.org/abs/2203.12119, shallow).

    combine: "prefix": in front of a row's first token; "after_first": behind it, where it is a BOS or CLS.
    all_towers: every tower gets a prompt of its own: an encoder-decoder's decoder, CLIP's vision beside its
        text; else the first tower alone.
    use_gating: the gate multiplies P; x is E of the tokens.
    """

    prompt_length: int = 10
    combine: str = "prefix"
    all_towers: bool = False

    def __post_init__(self) -> None:
        check_whole(self, "prompt_length", 1)
        check_choice(self, "combine", COMBINATIONS)
        check_flags(self, "all_towers")
        check_gating(self)
        check_layer_ids(self, "leave_out")

    def aims(self) -> tuple[Aim, ...]:
        return (Aim("prompt", (PROMPT_ROLE,), is_first_tower=not self.all_towers),)

    def size(self) -> int:
        return self.prompt_length

    def shapes(self, place: Place) -> Shapes:
        if place.kind != "prompt":
            raise ConfigError(f"{self.name()} acts on a tower's input, and {place.role} is {place.kind}.")
        return self.prompt_shapes(place.width_in)

    def prompt_shapes(self, width: int) -> Shapes:
        """Names and shapes of the tensors for a prompt of that width."""
        raise NotImplementedError


@dataclass(frozen=True, eq=False, kw_only=True)
class PromptTuningConfig(SoftPromptConfig):
    """P is the parameter itself; otherwise as `SoftPromptConfig` says.

    prompt_init: "random_uniform": uniform within ± init_scale; "sample_vocabulary": the embeddings of tokens
        drawn at random; "from_ids": those of `prompt_ids`, over again until the prompt is full, the rest cut
        off. `ids_of_text` gives the ids of a text.
    """

    method: ClassVar[str] = "prompt_tuning"
    measure: ClassVar[str] = "tokens"

    prompt_init: str = "random_uniform"
    init_scale: float = 0.5
    prompt_ids: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        super().__post_init__()
        check_choice(self, "prompt_init", PROMPT_INITS)
        check_positive(self, "init_scale")
        self._check_ids()

    def _check_ids(self) -> None:
        ids = self.prompt_ids
        if not isinstance(ids, list | tuple) or not all(type(i) is int and i >= 0 for i in ids):
            raise refuse(self, "prompt_ids", "a list of token ids from 0 up")
        if bool(ids) != (self.prompt_init == "from_ids"):
            raise ConfigError(
                f"{type(self).__name__}: prompt_ids and prompt_init='from_ids' go together; "
                f"prompt_init is {self.prompt_init!r} with {len(ids)} ids."
            )
        store(self, "prompt_ids", tuple(ids))

    def name(self) -> str:
        return "prompt_tuning"

    def prompt_shapes(self, width: int) -> Shapes:
        return {"prompt": (self.prompt_length, width)}


def ids_of_text(text: str, tokenizer: Tokenizer) -> tuple[int, ...]:
    """The token ids of a text that a prompt starts from, without special tokens.

    Raises ConfigError if the text has no token.
    """
    found: Sequence[int] = tokenizer(text, add_special_tokens=False)["input_ids"]
    if not len(found):
        raise ConfigError(f"The text {text!r} has no tokens to start a prompt from.")
    return tuple(int(i) for i in found)


register_config(PromptTuningConfig, presets={"prompt_tuning": PromptTuningConfig})
