"""Where soft prompts enter a tower and leave it again: what text, pictures and sound have in common."""

from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from transformers.utils.generic import ModelOutput

from adapter_lib.engine import Call, Info, Plan, PromptState, evaluate
from adapter_lib.points.base import Point, first_input, hang, like_of, replace_first_input, unhang
from adapter_lib.points.prompt_plans import check_prompts
from adapter_lib.points.stacks import argument_names, hook_around
from adapter_lib.points.weaving import Weave
from adapter_lib.spec.composition import Block
from adapter_lib.spec.configs import Place
from adapter_lib.spec.errors import AttachError


class PromptTower(NamedTuple):
    """The modules of one tower that prompts have to do with.

    stack: its call runs the tower. tokens: the token embedding; None: pictures or sound.
    embed: gives the first hidden state (pictures and sound; None: the first layer gets it).
    exit: the module before one that pools a token: its output is cut back. pooler: where there is none, what
        pools: its input is cut back. Both None: nobody pools.
    readers: decoders that attend to the tower's output, which then keeps the prompts.
    is_decoder: a cache may continue it.
    """

    stack: nn.Module
    layers: tuple[nn.Module, ...]
    tokens: nn.Module | None = None
    embed: nn.Module | None = None
    exit: nn.Module | None = None
    pooler: nn.Module | None = None
    readers: tuple[nn.Module, ...] = ()
    is_decoder: bool = False


class PromptPoint(Point):
    """Puts prompts among a tower's tokens, and gives back the caller's tokens only.

    Masks, positions and whatever else goes by token are lengthened with it. On the way out last_hidden_state
    and hidden_states are cut back to the tokens that were given, so that heads, pooling and losses see what
    they gave; attentions keep the prompts. (Elsewhere a pooled first token is a soft one.) The output of an
    encoder that a decoder attends to keeps the prompts, and the decoder's mask over it is lengthened.

    Blocks: Stack("a", "b") gives [a; b; tokens]. In Parallel, BatchSplit and MultiTask prompts of different
    lengths are filled up where no mask or position counts them. Average means prompts of one length. Split,
    Fuse and Route are refused.

    What was put in is kept between two hooks of one forward: threads must not share a model.
    """

    def __init__(self, place: Place, tower: PromptTower, call: Call) -> None:
        super().__init__(place, call)
        # In a tuple, so that the model's modules do not become children of the point.
        self._towers = (tower,)
        self._weave: Weave | None = None

    @property
    def tower(self) -> PromptTower:
        """The modules that are served."""
        return self._towers[0]

    @property
    def fills_left(self) -> bool:
        """True if rows with shorter prompts are filled up at the left end, else at the right."""
        return True

    def install(self) -> None:
        hang(self.tower.stack, "prompt", self)
        # First of all: who asks for the tower's mask must see the longer one.
        self.handles += hook_around(self.tower.stack, self.call, self, is_first=True)
        if not self.tower.readers:
            self._hook_pooling()
        for reader in self.tower.readers:
            self.handles += hook_around(reader, self.call, Reader(self, reader), is_first=True)

    def uninstall(self) -> None:
        self.drop_hooks()
        unhang(self.tower.stack, "prompt")

    def compiled(self, block: Block | None) -> Plan | None:
        plan = super().compiled(block)
        if plan is not None:
            check_prompts(plan)
        return plan

    def like(self) -> Tensor:
        return like_of(self.tower.layers[0])

    def weight(self) -> Tensor:
        return self._tokens().get_parameter("weight").detach().t()

    def project(self, x: Tensor) -> Tensor:
        """The embeddings of token ids, as the model itself makes them, without adapters."""
        found: Tensor = self._tokens().forward(x)
        return found

    def sketch(self, source: Tensor) -> PromptState:
        """The prompts' columns for a batch, without the prompts."""
        return self._evaluated(source, 0, Info(tasks=self.call.tasks))

    def prompts(self, source: Tensor, mask: Tensor | None) -> PromptState:
        """The prompts for a batch of ids [B, S] or embeddings [B, S, d], and its mask [B, S]."""
        info = Info(mask, self.call.tasks, self.call.record)
        return self._evaluated(source, self.place.width_in, info)

    def weave_mask(self, state: PromptState, mask: Tensor) -> Tensor:
        """A mask [B, S] over the caller's tokens, lengthened."""
        return Weave.of(state, mask.shape[1], mask, fills_left=self.fills_left).mask(mask)

    def mask_for_readers(self, state: PromptState, mask: Tensor, length: int) -> Tensor:
        """The mask over `length` states of the tower, from what the decoder was given.

        One that does not lack exactly the prompts was made for states that some other call gave.
        """
        return self.weave_mask(state, mask) if mask.shape[1] + state.columns.shape[1] == length else mask

    def enter(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """What the tower is called with."""
        raise NotImplementedError

    def leave(self, output: Any) -> Any:
        """What the tower gives."""
        weave, self._weave = self._weave, None
        return output if weave is None or self.tower.readers else _cut_back(output, weave)

    def _hook_pooling(self) -> None:
        if self.tower.exit is not None:
            self.handles.append(self.tower.exit.register_forward_hook(self._pass_exit))
        elif self.tower.pooler is not None:
            hook = self.tower.pooler.register_forward_pre_hook(self._pass_pooler, with_kwargs=True)
            self.handles.append(hook)

    def _pass_exit(self, module: nn.Module, args: tuple[Any, ...], output: Any) -> Any:
        return output if self._weave is None else _cut_back(output, self._weave)

    def _pass_pooler(self, module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if self._weave is None:
            return None
        return replace_first_input(args, kwargs, _cut_back(first_input(args, kwargs), self._weave))

    def _evaluated(self, source: Tensor, width: int, info: Info) -> PromptState:
        like, rows = self.like(), source.shape[0]
        values = torch.empty(rows, 0, width, dtype=like.dtype, device=source.device)
        columns = torch.empty(rows, 0, dtype=torch.long, device=source.device)
        embed = None if source.is_floating_point() else self._tokens()
        if self.plan is None:
            return PromptState(source, values, columns)
        state = PromptState(source, values, columns, embed=embed, info=info, width=self.place.width_features)
        return evaluate(self.plan, state)

    def _tokens(self) -> nn.Module:
        if self.tower.tokens is None:
            raise AttachError(
                f"The {self.place.tower} tower has no tokens that a prompt could start from; "
                "use prompt_init=random_uniform."
            )
        return self.tower.tokens


class Reader:
    """Lengthens the mask with which a decoder attends to a tower's output."""

    def __init__(self, point: PromptPoint, reader: nn.Module) -> None:
        self._point = point
        self._names = argument_names(reader)

    def enter(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        given = dict(zip(self._names, args, strict=False)) | kwargs
        states, mask = given.get("encoder_hidden_states"), given.get("encoder_attention_mask")
        if self._point.plan is None or states is None:
            return args, kwargs
        state = self._point.sketch(states)
        if mask is None and not state.is_even:
            mask = self._ones(states, state.columns.shape[1])
        if mask is not None and mask.dim() == 2:
            given["encoder_attention_mask"] = self._point.mask_for_readers(state, mask, states.shape[1])
        return (), given

    def leave(self, output: Any) -> Any:
        return output

    def _ones(self, states: Tensor, columns: int) -> Tensor:
        if "encoder_attention_mask" not in self._names:
            raise AttachError(
                "The decoder takes no mask over the encoder's states, so prompts of different lengths cannot "
                "stand in one batch here; give them the same prompt_length."
            )
        return states.new_ones(states.shape[0], states.shape[1] - columns, dtype=torch.long)


def _cut_back(output: Any, weave: Weave) -> Any:
    """The output with every hidden state [B, T, d] in it cut back to the caller's tokens."""
    if isinstance(output, Tensor):
        is_long = output.dim() == 3 and output.shape[1] == weave.length
        return weave.restored(output) if is_long else output
    if isinstance(output, ModelOutput):
        for name, value in list(output.items()):
            output[name] = _cut_back(value, weave)
        return output
    if isinstance(output, tuple):
        return tuple(_cut_back(value, weave) for value in output)
    return output
