"""LoRA on a mixture of experts against the same model with its expert tensors changed by hand, in float64."""

import copy
from dataclasses import replace
from typing import Any

import pytest
import torch
import transformers as hf
from torch import Tensor

import adapter_lib
from adapter_lib import AdapterSetup, Parallel, Stack
from adapter_lib.families import FamilySpec
from adapter_lib.families.llama import LLAMA_TOWER
from adapter_lib.spec.composition import Average, BatchSplit, MultiTask, Split
from adapter_lib.spec.errors import AttachError, CompositionError, ConfigError
from tests.adapter_lib.methods.weights import check, tensors
from tests.adapter_lib.tiny import inputs, shake

_LLAMA = {
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "intermediate_size": 24,
    "vocab_size": 120,
    "pad_token_id": 0,
}
_QWEN = _LLAMA | {"moe_intermediate_size": 24, "num_experts": 4, "num_experts_per_tok": 2}
CONFIGS: dict[str, Any] = {
    "mixtral": lambda: hf.MixtralConfig(**_LLAMA, num_local_experts=4),
    "qwen2_moe": lambda: hf.Qwen2MoeConfig(**_QWEN, shared_expert_intermediate_size=16),
    "qwen3_moe": lambda: hf.Qwen3MoeConfig(**_QWEN, head_dim=8),
}
FAMILIES = tuple(CONFIGS)
IDS = inputs(rows=4)["input_ids"]
ROLES = {"experts.up": "gate_up_proj", "experts.down": "down_proj"}


def _base(family: str, auto: Any = hf.AutoModel, implementation: str = "eager") -> Any:
    torch.manual_seed(7)
    model = auto.from_config(CONFIGS[family](), experts_implementation=implementation)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.1)
    return model.double().eval()


def _model(family: str, auto: Any = hf.AutoModel, **adapters: str) -> Any:
    model: Any = adapter_lib.init(_base(family, auto))
    for name, config in adapters.items():
        model.add_adapter(name, config)
        shake(model, name)
    return model


def _changed(family: str, *updates: tuple[float, dict[Any, dict[str, Tensor]]]) -> Any:
    """The base with s · B A of every expert added to its tensors, expert by expert."""
    base = _base(family)
    for scale, places in updates:
        for (layer, role), own in places.items():
            weight = getattr(base.layers[layer].mlp.experts, ROLES[role]).data
            for i in range(len(weight)):
                weight[i] += scale * own["lora_b"][i] @ own["lora_a"][i]
    return base


def _hidden(model: Any, ids: Tensor = IDS, **given: Any) -> Tensor:
    with torch.no_grad():
        found: Tensor = model(input_ids=ids, **given).last_hidden_state
    return found


A, B = "lora[r=3, alpha=6, targets=[experts]]", "lora[r=2, alpha=2, targets=[experts, q]]"
ONLY_EXPERTS = "lora[r=2, alpha=2, targets=[experts]]"


@pytest.mark.parametrize("family", FAMILIES)
def test_every_expert_has_an_update_of_its_own(family: str) -> None:
    model = _model(family, one=A)
    own = tensors(model, "one")
    assert set(own) == {(layer, role) for layer in (0, 1) for role in ROLES}
    shapes = {role: tuple(t.shape for t in own[0, role].values()) for role in ROLES}
    assert shapes == {"experts.up": ((4, 3, 32), (4, 48, 3)), "experts.down": ((4, 3, 24), (4, 32, 3))}
    base = _hidden(model)
    model.active_adapters = "one"
    found = _hidden(model)
    check(found, _hidden(_changed(family, (2.0, own))))
    assert (found - base).abs().max() > 1e-2


@pytest.mark.parametrize("family", FAMILIES)
def test_merging_equals_the_forward_and_is_undone_exactly(family: str) -> None:
    model = _model(family, one=A)
    original = {key: value.clone() for key, value in model.state_dict().items()}
    model.active_adapters = "one"
    expected = _hidden(model)
    model.merge_adapter("one")
    assert model.active_adapters is None
    check(_hidden(model), expected)
    model.reset_adapter()
    assert all(torch.equal(value, original[key]) for key, value in model.state_dict().items())


@pytest.mark.parametrize("implementation", ["batched_mm", "grouped_mm"])
def test_every_implementation_of_the_experts_is_served(implementation: str) -> None:
    # The grouped product is not there in float64.
    model: Any = adapter_lib.init(_base("mixtral", implementation=implementation).float())
    model.add_adapter("one", A)
    shake(model, "one")
    model.active_adapters = "one"
    expected = _hidden(_changed("mixtral", (2.0, tensors(model, "one"))))
    torch.testing.assert_close(_hidden(model).double(), expected, atol=2e-5, rtol=1e-4)


def test_a_fresh_adapter_is_the_base_and_the_base_is_never_touched() -> None:
    base = _base("qwen2_moe")
    expected, keys = _hidden(base), list(base.state_dict())
    model: Any = adapter_lib.init(base)
    model.add_adapter("one", A)
    check(_hidden(model), expected, within=0)
    model.active_adapters = "one"
    check(_hidden(model), expected)
    shake(model, "one")
    _hidden(model)
    assert [key for key in model.state_dict() if "adapter_lib_" not in key] == keys
    for key, value in _base("qwen2_moe").state_dict().items():
        assert torch.equal(model.state_dict()[key], value), key
    model.delete_adapter("one")
    check(_hidden(model), expected, within=0)
    assert sum(len(m._forward_hooks) + len(m._forward_pre_hooks) for m in model.modules()) == 0


@pytest.mark.parametrize("family", ["mixtral", "qwen2_moe"])
def test_a_stack_is_the_sum_of_the_updates(family: str) -> None:
    model = _model(family, a=A, b=ONLY_EXPERTS)
    expected = _hidden(_changed(family, (2.0, tensors(model, "a")), (1.0, tensors(model, "b"))))
    for order in (Stack("a", "b"), Stack("b", "a")):
        model.active_adapters = order
        check(_hidden(model), expected)


def test_every_block_by_rows_equals_separate_runs() -> None:
    model = _model("mixtral", a=A, b=B, c="lora[targets=[v]]")
    trees = ["a", "b", "c", Stack("a", "b"), Stack("c", "b")]
    alone = []
    for tree in trees:
        with AdapterSetup(model, tree):
            alone.append(_hidden(model))
    model.active_adapters = Parallel(*trees)
    check(_hidden(model), torch.cat(alone))
    model.active_adapters = BatchSplit("a", "c", Stack("a", "b"), batch_sizes=[1, 2, 1])
    check(_hidden(model), torch.cat([alone[0][:1], alone[2][1:3], alone[3][3:]]))
    model.active_adapters = MultiTask("a", "b", "c")
    tasks = torch.tensor([2, 0, 1, 0])
    check(_hidden(model, task_ids=tasks), torch.stack([alone[t][i] for i, t in enumerate(tasks.tolist())]))


def test_what_is_stacked_on_a_split_batch_reaches_all_its_rows() -> None:
    model = _model("mixtral", a=A, b=B, c=ONLY_EXPERTS)
    alone = []
    for tree in (Stack("a", "c"), Stack("b", "c")):
        with AdapterSetup(model, tree):
            alone.append(_hidden(model))
    model.active_adapters = Stack(BatchSplit("a", "b", batch_sizes=[3, 1]), "c")
    check(_hidden(model), torch.cat([alone[0][:3], alone[1][3:]]))
    model.active_adapters = Stack(MultiTask("a", "b"), "c")
    found = _hidden(model, task_ids=torch.tensor([0, 1, 1, 0]))
    check(found, torch.stack([alone[0][0], alone[1][1], alone[1][2], alone[0][3]]))
    nested = Stack(MultiTask("a", BatchSplit("b", "a", batch_sizes=[1, 1])), "c")
    model.active_adapters = nested
    check(
        _hidden(model, task_ids=torch.tensor([1, 0, 1, 0])),
        torch.stack([alone[1][0], alone[0][1], alone[0][2], alone[0][3]]),
    )


def test_an_average_is_the_mean_of_the_experts_outputs() -> None:
    """At one call of the experts: outputs are averaged, which is not the output of averaged weights."""
    model = _model("mixtral", a=A, b=ONLY_EXPERTS, c=ONLY_EXPERTS)
    experts = model.layers[0].mlp.experts
    x = torch.randn(6, 32, dtype=torch.float64)
    router = (torch.randint(4, (6, 2)), torch.rand(6, 2, dtype=torch.float64))

    def run(tree: Any) -> Tensor:
        with AdapterSetup(model, tree), torch.no_grad():
            found: Tensor = experts(x, *router)
        return found

    check(run(Average("a", "b", weights=[0.25, 0.75])), 0.25 * run("a") + 0.75 * run("b"))
    stacked = run(Stack(Average("a", "b", weights=[0.25, 0.75]), "c"))
    check(stacked, 0.25 * run(Stack("a", "c")) + 0.75 * run(Stack("b", "c")))
    check(run(Average("a", Stack("b", "c"), weights=[0.5, 0.5])), (run("a") + run(Stack("b", "c"))) / 2)


def test_a_split_is_refused_with_the_reason() -> None:
    model = _model("mixtral", a=A, b=A)
    model.active_adapters = Split("a", "b", splits=[3, 4])
    with pytest.raises(CompositionError, match=r"a mixture of experts .* has no dimension of tokens"):
        _hidden(model)


def test_what_experts_cannot_have_is_refused() -> None:
    with pytest.raises(ConfigError, match="set dropout=0"):
        _model("mixtral", one="lora[targets=[experts], dropout=0.1]")
    with pytest.raises(ConfigError, match="use_gating=false"):
        _model("mixtral", one="lora[targets=[experts], use_gating=true]")
    with pytest.raises(ConfigError, match=r"dora changes .*, and experts\.up is of the kind experts"):
        _model("mixtral", one="dora[targets=[experts]]")


@pytest.mark.parametrize("start", ["pissa", "olora", "orthogonal", "gaussian", "bert"])
def test_every_start_is_drawn_per_expert(start: str) -> None:
    model: Any = adapter_lib.init(_base("mixtral"))
    base = _hidden(model)
    model.add_adapter("one", f"lora[r=4, alpha=8, targets=[experts], init_weights={start}]")
    model.active_adapters = "one"
    own = tensors(model, "one")[1, "experts.down"]
    if start != "bert":
        check(_hidden(model), base)
    if start == "pissa":
        for weight, a, b in zip(
            model.layers[1].mlp.experts.down_proj, own["lora_a"], own["lora_b"], strict=True
        ):
            u, s, v = torch.linalg.svd(weight.detach())
            check(2 * b @ a, u[:, :4] * s[:4] @ v[:4])


def test_gradients_are_those_of_the_changed_weights() -> None:
    model = _model("mixtral", one=A)
    model.train_adapter("one")
    x = torch.randn(6, 32, dtype=torch.float64, requires_grad=True)
    router = (torch.randint(4, (6, 2)), torch.rand(6, 2, dtype=torch.float64))
    model.layers[0].mlp.experts(x, *router).square().sum().backward()
    twin = _base("mixtral").layers[0].mlp.experts
    mine = {role: model.adapter_runtime.injection.parts("one")[0, role] for role in ROLES}
    copies = {role: [p.detach().requires_grad_() for p in part.parameters()] for role, part in mine.items()}
    weights = {
        ROLES[role]: getattr(twin, ROLES[role]).detach() + 2 * b @ a for role, (a, b) in copies.items()
    }
    y = x.detach().requires_grad_()
    torch.func.functional_call(twin, weights, (y, *router)).square().sum().backward()
    check(x.grad, y.grad)
    for role, part in mine.items():
        for found, expected in zip(part.parameters(), copies[role], strict=True):
            check(found.grad, expected.grad)
    assert all(".adapter:one." in name for name, p in model.named_parameters() if p.grad is not None)


def test_checkpointing_recomputes_the_same() -> None:
    grads = []
    for is_checkpointing in (False, True):
        model = _model("mixtral", hf.AutoModelForCausalLM, one=A)
        if is_checkpointing:
            (getattr(model, "activation_checkpointing_enable", None) or model.gradient_checkpointing_enable)()
            model.enable_input_require_grads()
        model.train_adapter("one")
        model(input_ids=IDS, labels=IDS).loss.backward()
        grads.append([p.grad for p in model.adapter_runtime.injection.trained("one")])
    torch.testing.assert_close(grads[0], grads[1], atol=1e-10, rtol=0)


def test_copies_files_and_generation(tmp_path: Any) -> None:
    model = _model("mixtral", hf.AutoModelForCausalLM, one=B)
    model.active_adapters = "one"
    with torch.no_grad():
        expected = model(input_ids=IDS).logits
        twin = copy.deepcopy(model)
        check(twin(input_ids=IDS).logits, expected, within=0)
        twin.delete_adapter("one")
        check(model(input_ids=IDS).logits, expected, within=0)
        model.save_adapter(tmp_path / "one", "one")
        fresh: Any = adapter_lib.init(_base("mixtral", hf.AutoModelForCausalLM))
        fresh.load_adapter(tmp_path / "one")
        fresh.active_adapters = "one"
        check(fresh(input_ids=IDS).logits, expected, within=0)
        made = [
            m.generate(IDS, max_new_tokens=4, do_sample=False, use_cache=cache, pad_token_id=0)
            for m, cache in ((model, True), (model, False))
        ]
    assert torch.equal(*made)


def test_outputs_first_or_last_the_tensors_mean_the_same() -> None:
    """GPT-OSS stores its experts input first; rows are outputs all the same."""
    config = hf.GptOssConfig(**(_LLAMA | {"num_local_experts": 4, "num_experts_per_tok": 2, "head_dim": 8}))
    torch.manual_seed(3)
    base = hf.AutoModel.from_config(config, experts_implementation="eager").double().eval()
    with torch.no_grad():
        for parameter in base.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.1)
    twin = copy.deepcopy(base)
    tower = replace(
        LLAMA_TOWER, layer=replace(LLAMA_TOWER.layer, experts="mlp.experts", up=None, gate=None, down=None)
    )
    model: Any = adapter_lib.init(base, family=FamilySpec("gpt_oss", ("gpt_oss",), (tower,)))
    model.add_adapter("one", A)
    shake(model, "one")
    for (layer, role), own in tensors(model, "one").items():
        weight = getattr(twin.layers[layer].mlp.experts, ROLES[role]).data
        weight += 2 * (own["lora_b"] @ own["lora_a"]).transpose(1, 2)
    model.active_adapters = "one"
    found = _hidden(model)
    check(found, _hidden(twin))
    model.merge_adapter("one")
    check(_hidden(model), found)


@pytest.mark.matrix
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::UserWarning")
def test_a_compiled_model_notices_who_acts() -> None:
    torch._dynamo.reset()
    base = _base("mixtral", implementation="batched_mm").float()
    base.layers = base.layers[:1]
    model: Any = adapter_lib.init(base)
    for name in ("a", "b"):
        model.add_adapter(name, A)
        shake(model, name)
    compiled: Any = torch.compile(model, fullgraph=True, backend="aot_eager")
    for tree in (Stack("a", "b"), None, "b"):
        with AdapterSetup(model, tree), torch.no_grad():
            found = compiled(input_ids=IDS).last_hidden_state
            torch.testing.assert_close(found, _hidden(model), atol=1e-5, rtol=0)


def test_packed_experts_are_not_merged() -> None:
    model = _model("mixtral", one=A)
    experts = model.layers[0].mlp.experts
    experts.down_proj = torch.nn.Parameter(experts.down_proj.data.to(torch.int8), requires_grad=False)
    with pytest.raises(AttachError, match="down_proj is not plain numbers"):
        model.merge_adapter("one")
