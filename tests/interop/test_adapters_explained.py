"""Why `adapters` 1.3.0 computes something else in the cases of known_differences.py.

Ours repeats what the peer does and then agrees with it to 1e-5, or it is right by others of its numbers.
"""

from dataclasses import replace
from typing import Any

import pytest
import torch

from adapter_lib.formats.adapterhub.importing.compositions import composition_of
from adapter_lib.formats.adapterhub.importing.converting import Converted
from adapter_lib.spec.configs import (
    BnConfig,
    DoRAConfig,
    IA3Config,
    InvertibleConfig,
    LoRAConfig,
    MethodConfig,
    PrefixTuningConfig,
    ReftConfig,
    UnionConfig,
    members_of,
)
from tests.interop import known_differences as known
from tests.interop import ours, repeating
from tests.interop.reading import crashes, reference

CLOSE = 1e-5


def _deviation(model: Any, family: str, case: str, variant: str = "plain") -> float:
    found = reference("adapters", family, case)
    return ours.deviation(ours.run(model, found, variant), ours.expected(found, variant))


@pytest.mark.parametrize(("family", "case"), list(known.NESTED))
def test_nested_blocks_are_normed_again(family: str, case: str) -> None:
    with ours.acting(reference("adapters", family, case)) as model:
        repeating.norm_nested_blocks_again(model)
        assert _deviation(model, family, case) < CLOSE


_ALL = ("bert", "gpt2", "llama", "t5", "vit")
# Rows of a case, and the rows of another one, with the same adapters, that they must be.
_ROWS = [
    *((family, "batch_split_stack", slice(0, 2), "stack_bn", slice(0, 2)) for family in _ALL),
    *((family, "parallel_stack", slice(0, 3), "stack_bn", slice(0, 3)) for family in _ALL),
    *((family, "parallel_batch_split", slice(0, 3), "batch_split_bn", slice(0, 3)) for family in _ALL),
    *((family, "parallel_par", slice(3, 6), "parallel_bn", slice(0, 3)) for family in _ALL),
    ("vit", "parallel_ia3", slice(0, 1), "batch_split_ia3", slice(0, 1)),
    ("vit", "parallel_ia3", slice(4, 6), "batch_split_ia3", slice(1, 3)),
]


@pytest.mark.parametrize(("family", "case", "rows", "other", "there"), _ROWS)
def test_rows_are_what_the_peer_makes_of_them_elsewhere(
    family: str, case: str, rows: slice, other: str, there: slice
) -> None:
    """Rows do not see each other, so a block that cuts the batch must not change what its adapters do."""
    found = ours.computed(reference("adapters", family, case))["plain"]["last_hidden_state"]
    right, wrong = (
        reference("adapters", family, name).outputs()["last_hidden_state"].double() for name in (other, case)
    )
    assert float((found[rows] - right[there]).abs().max()) < CLOSE * max(1.0, float(right.abs().max()))
    assert (wrong[rows] - right[there]).abs().max() > 0.1


@pytest.mark.parametrize(("family", "case"), list(known.LORA_PRODUCT))
def test_a_stack_of_loras_is_a_product(family: str, case: str) -> None:
    """B_b A_b (s · B_a A_a x): one LoRA of b's rank, with A_b (s · B_a A_a) for its A."""
    found = reference("adapters", family, case)
    first = ours.ported(found, "lora_a", ours.base_model(found.base))

    def product(name: str, own: Converted) -> Converted:
        tensors = dict(own.tensors)
        for key in [key for key in tensors if key.endswith("lora_a")]:
            stem = key.removesuffix("lora_a")
            update = first.tensors[f"{stem}lora_b"] @ first.tensors[key]
            assert isinstance(own.config, LoRAConfig)
            tensors[key] = tensors[key] @ update * own.config.scale
            if name == "lora_a":
                tensors[f"{stem}lora_b"] = torch.zeros_like(tensors[f"{stem}lora_b"])
        return replace(own, tensors=tensors)

    assert ours.deviations(found, product)["plain"] < CLOSE


@pytest.mark.parametrize(("family", "case"), list(known.LORA_AVERAGE))
def test_an_average_divides_twice(family: str, case: str) -> None:
    def halved(name: str, own: Converted) -> Converted:
        half = {key: value / 2 if key.endswith("lora_b") else value for key, value in own.tensors.items()}
        return replace(own, tensors=half)

    assert ours.deviations(reference("adapters", family, case), halved)["plain"] < CLOSE


def test_an_average_is_ported_as_computed_or_as_meant() -> None:
    """The stored weights are those that act; raw ones need not sum to one."""
    setup = reference("adapters", "bert", "average_bn_raw").setup
    as_computed, as_meant = composition_of(setup), composition_of(setup, as_computed=False)
    assert as_meant.settings()["weights"] == (0.5, 2.0)
    assert as_computed.settings()["weights"] == (0.25, 1.0)


def _published(name: str, own: Converted) -> Converted:
    """With every switch off that repeats what the peer does beside its papers."""
    members = tuple(_unswitched(member) for member in members_of(own.config))
    config = members[0] if len(members) == 1 else UnionConfig(configs=members)
    return replace(own, config=config)


def _unswitched(config: MethodConfig) -> MethodConfig:
    if isinstance(config, DoRAConfig):
        return replace(config, scales_bias=False)
    if isinstance(config, PrefixTuningConfig):
        return replace(config, moves_keys=False)
    return replace(config, inverse=True) if isinstance(config, InvertibleConfig) else config


@pytest.mark.parametrize(("family", "case"), list(known.SWITCHED))
def test_what_a_switch_repeats(family: str, case: str) -> None:
    """As imported the case agrees (test_against_adapters.py); without the switch it is this far away."""
    found = ours.deviations(reference("adapters", family, case), _published)
    assert found == pytest.approx(dict(zip(found, known.SWITCHED[family, case], strict=True)), rel=2e-3)


@pytest.mark.parametrize("family", ["llama", "t5"])
def test_dora_leaves_the_scale_out_of_its_norm(family: str) -> None:
    """With the file's magnitudes as they are, our norm of W + s B A gives another number."""
    found = reference("adapters", family, "dora")
    plain = ours.ported(found, "dora", ours.base_model(found.base))
    assert isinstance(plain.config, DoRAConfig)
    assert plain.config.scale == 2
    spots = ours.base_model(found.base).adapter_runtime.injection.atlas.find(plain.config)

    def literal(name: str, own: Converted) -> Converted:
        tensors = dict(own.tensors)
        for spot in spots:
            stem = f"{spot.place.key}."
            update = tensors[f"{stem}lora_b"] @ tensors[f"{stem}lora_a"]
            weight = spot.module.weight.detach()
            theirs, right = ((weight + by * update).norm(dim=1) for by in (1.0, 2.0))
            tensors[f"{stem}magnitude"] = tensors[f"{stem}magnitude"] * theirs / right
        return replace(own, tensors=tensors)

    assert ours.deviations(found)["plain"] < CLOSE
    assert ours.deviations(found, literal)["plain"] > 1e-2


@pytest.mark.parametrize(("family", "case"), list(known.DIREFT_FILE))
def test_direft_subtracts_nothing(family: str, case: str) -> None:
    found = ours.deviations(reference("adapters", family, case), subtract_projection=False)
    assert max(found.values()) < CLOSE


@pytest.mark.parametrize("family", _ALL)
def test_direft_and_noreft_write_the_same_config(family: str) -> None:
    direft, noreft = (reference("adapters", family, name).config()["config"] for name in ("direft", "noreft"))
    assert direft == noreft


@pytest.mark.parametrize(("family", "case"), list(known.LONG_SUFFIX))
def test_a_long_suffix_is_misplaced(family: str, case: str) -> None:
    with ours.acting(reference("adapters", family, case)) as model:
        for part in model.adapter_runtime.injection.parts(case).values():
            part.single = repeating.misplaced_edits(part, 9)
        assert _deviation(model, family, case) < CLOSE


@pytest.mark.parametrize(("family", "case"), list(known.T5_NO_BIAS))
def test_a_prefix_takes_the_bias_away(family: str, case: str) -> None:
    """The encoder's first layer has no prefix, whose bias then does not fit the next one's keys."""
    found = reference("adapters", family, case)
    with (
        ours.acting(found, _published) as model,
        repeating.moved_positions(model, ("decoder",), 3),
    ):
        for variant in found.variants:
            assert _deviation(model, family, case, variant) < CLOSE


@pytest.mark.parametrize(("family", "case"), list(known.PROMPT_PLACE))
def test_a_prompt_behind_the_embeddings(family: str, case: str) -> None:
    found = reference("adapters", family, case)
    model = ours.base_model(found.base)
    config = found.config()["config"]
    column = 1 if config["combine"] == "prefix_after_bos" else 0
    (prompt,) = ours.ported(found, case, model).tensors.values()
    for variant in found.variants:
        inputs = found.inputs(variant)
        mask = inputs["attention_mask"]
        ones = mask.new_ones((len(mask), config["prompt_length"]))
        inputs["attention_mask"] = torch.cat([mask[:, :column], ones, mask[:, column:]], dim=1)
        with repeating.prompt_behind_embeddings(model, prompt, column), torch.no_grad():
            output = model(**inputs).last_hidden_state
        assert ours.deviation({"last_hidden_state": output}, found.outputs(variant)) < CLOSE


def _config(family: str, case: str) -> MethodConfig:
    found = reference("adapters", family, case)
    return ours.ported(found, case, ours.base_model(found.base)).config


def test_llamas_feed_forward_switches_are_exchanged() -> None:
    """`intermediate_lora` is the map down, `output_lora` the one up; the tensors agree under these names."""
    ported = _config("llama", "ia3")
    assert isinstance(ported, IA3Config)
    assert ported.targets == ("k", "v", "down")


@pytest.mark.parametrize(
    ("family", "number"), [("bert", 0.03364), ("gpt2", 0.04305), ("t5", 0.0), ("vit", 0.04416)]
)
def test_ia3_scales_before_the_activation(family: str, number: float) -> None:
    """Converted as factors of the map up, which is where they act; the paper's are behind the activation.

    T5's is a ReLU, to which a positive factor is the same on both sides.
    """

    def published(name: str, own: Converted) -> Converted:
        assert isinstance(own.config, IA3Config)
        assert own.config.targets == ("k", "v", "up")
        moved = {key.replace("ffn.up", "ffn.mid"): value for key, value in own.tensors.items()}
        return replace(own, config=replace(own.config, targets=("k", "v", "ffn")), tensors=moved)

    found = ours.deviations(reference("adapters", family, "ia3"), published)
    assert found["plain"] == pytest.approx(number, rel=2e-3, abs=CLOSE)


def test_alberts_attention_adapter_is_a_parallel_one() -> None:
    """With u and x exchanged, N(z(x) + x + u) is what a parallel bottleneck gives."""
    ported = _config("albert", "double_seq_bn")
    assert isinstance(ported, UnionConfig)
    beside, behind = ported.configs
    assert isinstance(beside, BnConfig)
    assert isinstance(behind, BnConfig)
    assert (beside.is_parallel, beside.mh_adapter, beside.output_adapter) == (True, True, False)
    assert (behind.is_parallel, behind.mh_adapter, behind.output_adapter) == (False, False, True)


def test_a_sequential_port_of_albert_differs() -> None:
    def sequential(name: str, own: Converted) -> Converted:
        assert isinstance(own.config, UnionConfig)
        *_, behind = own.config.configs
        assert isinstance(behind, BnConfig)
        tensors = {
            key.replace(".mh.0.", ".mh.").replace(".ffn.1.", ".ffn."): value
            for key, value in own.tensors.items()
        }
        return replace(own, config=replace(behind, mh_adapter=True), tensors=tensors)

    found = ours.deviations(reference("adapters", "albert", "double_seq_bn"), sequential)
    assert found["plain"] == pytest.approx(0.370, rel=2e-3)


@pytest.mark.parametrize(
    ("family", "case"),
    [(f, c) for f in ("bert", "gpt2", "llama", "distilbert") for c in ("prefix_tuning", "double_seq_bn")],
)
def test_sdpa_is_eager(family: str, case: str) -> None:
    """A prefix under sdpa does what the peer's does in eager mode; there sdpa loses or misplaces it."""
    found = reference("adapters", family, case)
    with ours.acting(found) as model:
        model.set_attn_implementation("sdpa")
        try:
            for variant in found.variants:
                mask = found.inputs(variant)["attention_mask"].bool()
                seen = {name: x[mask] for name, x in ours.run(model, found, variant).items()}
                right = {name: x[mask] for name, x in found.outputs(variant).items()}
                assert ours.deviation(seen, right) < CLOSE
        finally:
            model.set_attn_implementation("eager")


# ReFT with lengths that the peer runs out of: padded ones, and decoders of fewer tokens than the encoder.
_TOO_SHORT = [(family, "loreft") for family in ("bart", "mbart", "t5", "t5-gated")]
_TOO_SHORT += [(family, "noreft_long") for family in ("bert", "gpt2")]


@pytest.mark.parametrize(("family", "case"), _TOO_SHORT)
def test_runs_what_crashes_there(family: str, case: str) -> None:
    """Every row of the padded batch, up to its padding, is what it is by itself."""
    found = reference("adapters", family, case)
    assert f"{case}/padded" in crashes("adapters", family)
    inputs = found.inputs("padded")
    lengths = inputs["attention_mask"].sum(dim=1).tolist()
    with ours.acting(found) as model, torch.no_grad():
        batch = model(**inputs).last_hidden_state
        for row, length in enumerate(lengths):
            alone = {
                name: value[row : row + 1, : None if name.startswith("decoder") else length]
                for name, value in inputs.items()
            }
            single = model(**alone).last_hidden_state[0]
            assert ours.deviation({"row": batch[row, : len(single)]}, {"row": single}) < CLOSE


def test_dense_vera_is_a_lora() -> None:
    assert isinstance(_config("bert", "vera"), LoRAConfig)


def test_rows_of_zeros_are_not_called_orthonormal() -> None:
    """The data's noise moved the signs that torch cuts to whole numbers, so R has rows of zeros."""
    ported = _config("bert", "loreft")
    assert isinstance(ported, ReftConfig)
    assert not ported.orthogonality
