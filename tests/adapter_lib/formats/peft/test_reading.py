"""What is read from PEFT's folders, and what is refused with the reason."""

from pathlib import Path
from typing import Any

import pytest
import torch
import transformers as hf

import adapter_lib
from adapter_lib.formats.peft.kinds import KINDS, REFUSED
from adapter_lib.spec.configs import AdaLoRAConfig, LoRAConfig, UnionConfig
from adapter_lib.spec.errors import ConfigError, LoadError
from tests.adapter_lib import tiny
from tests.adapter_lib.formats.peft.checkpoints import (
    PREFIX,
    QUERY,
    WIDTH,
    Tensors,
    altered,
    attach,
    bert,
    lora,
    read,
    write,
)
from tests.interop.reading import reference

_QUERY = PREFIX + QUERY


def test_a_folder_is_loaded_and_counted(tmp_path: Path) -> None:
    model = bert()
    write(tmp_path / "theirs", lora(), base_model_name_or_path="org/bert", revision="abc")
    report = model.load_adapter(tmp_path / "theirs")
    assert report.format == "peft"
    assert len(report.matched) == 4
    assert report.notes == ("The file says that it was made for 'org/bert' at revision 'abc'.",)
    assert isinstance(model.adapter_runtime.injection.configs["theirs"], LoRAConfig)


def test_settings_that_an_old_file_does_not_have_are_peft_s_defaults(tmp_path: Path) -> None:
    found = read(bert(), write(tmp_path, lora(), r=2, lora_alpha=None, target_modules=None))
    assert isinstance(found.config, LoRAConfig)
    assert (found.config.r, found.config.alpha, found.config.targets) == (2, 8, ("q",))


def test_settings_that_peft_does_not_know_are_named(tmp_path: Path) -> None:
    found = read(bert(), write(tmp_path, lora(), use_magic=True, more_magic={"a": 1}, no_magic=None))
    assert found.notes == (
        "adapter_config.json has settings that PEFT 0.21.2 does not have, which were left aside: "
        "'more_magic', 'use_magic'.",
    )


@pytest.mark.parametrize("kind", REFUSED)
def test_a_kind_without_counterpart_says_why(kind: str, tmp_path: Path) -> None:
    with pytest.raises(LoadError, match=f"{kind} has no counterpart here: .+"):
        read(bert(), write(tmp_path, lora(), peft_type=kind))


def test_a_kind_that_nobody_knows_is_refused_with_those_that_are_read(tmp_path: Path) -> None:
    with pytest.raises(LoadError, match=r"no method here reads 'NEWEST'; .* read: ADALORA, .*VERA"):
        read(bert(), write(tmp_path, lora(), peft_type="NEWEST"))


@pytest.mark.parametrize("key", KINDS["LORA"].neutral)
def test_a_setting_that_changes_the_mathematics_is_refused(key: str, tmp_path: Path) -> None:
    with pytest.raises(LoadError, match=f"{key} is set; "):
        read(bert(), write(tmp_path, lora(), **{key: [1]}))
    read(bert(), write(tmp_path, lora(), **{key: False}))


@pytest.mark.parametrize(
    ("start", "why"),
    [
        ("pissa_niter_16", "at random"),
        ("corda", "data"),
        ("lora_ga", "gradients"),
        ("loftq", "quantised"),
        ("magic", "not known"),
    ],
)
def test_a_start_that_the_file_does_not_tell_is_refused(start: str, why: str, tmp_path: Path) -> None:
    with pytest.raises(LoadError, match=rf"{why}.*path_initial_model_for_weight_conversion"):
        read(bert(), write(tmp_path, lora(), init_lora_weights=start))


@pytest.mark.parametrize("start", [True, False, "gaussian", "orthogonal", "eva"])
def test_a_start_that_leaves_the_weights_alone_is_a_plain_lora(start: object, tmp_path: Path) -> None:
    found = read(bert(), write(tmp_path, lora(), init_lora_weights=start))
    assert isinstance(found.config, LoRAConfig)
    assert found.config.init_weights == "lora"


def test_expressions_name_ranks_and_alphas(tmp_path: Path) -> None:
    tensors = {**lora(), **{k: v for k, v in lora(3).items() if "layer.1" in k}}
    patterns = {"rank_pattern": {r".*layer\.1.*query": 3}, "alpha_pattern": {"^encoder.layer.0.*": 6}}
    found = read(bert(), write(tmp_path, tensors, **patterns))
    assert isinstance(found.config, LoRAConfig)
    assert found.config.values()["rank_pattern"] == {"layers.1.attn.q": 3}
    assert found.config.values()["alpha_pattern"] == {"layers.0.attn.q": 6}


def _loha(alpha: float) -> Tensors:
    path = f"{_QUERY}.hada_w"
    ones = {
        f"{path}1_a": (WIDTH, 2),
        f"{path}1_b": (2, WIDTH),
        f"{path}2_a": (WIDTH, 2),
        f"{path}2_b": (2, WIDTH),
    }
    return {key: torch.full(shape, 0.3 * alpha) for key, shape in ones.items()}


def test_an_alpha_of_its_own_goes_into_a_factor(tmp_path: Path) -> None:
    whole, own = bert(), bert()
    attach(whole, read(whole, write(tmp_path / "a", _loha(1), peft_type="LOHA", alpha=12)))
    patterned = write(tmp_path / "b", _loha(1), peft_type="LOHA", alpha=4, alpha_pattern={"query": 12})
    attach(own, read(own, patterned))
    torch.testing.assert_close(tiny.output(own), tiny.output(whole))


def test_two_ranks_become_two_members(tmp_path: Path) -> None:
    key = PREFIX + QUERY.replace("layer.0", "layer.1")
    more = {
        f"{key}.hada_w{n}_{side}": torch.ones((WIDTH, 3) if side == "a" else (3, WIDTH))
        for n in (1, 2)
        for side in "ab"
    }
    settings: dict[str, Any] = {
        "peft_type": "LOHA",
        "alpha": 6,
        "rank_pattern": {"layer.1.attention.self.query": 3},
    }
    found = read(bert(), write(tmp_path, {**_loha(1), **more}, **settings))
    assert isinstance(found.config, UnionConfig)
    assert [(m.values()["r"], m.leave_out) for m in found.config.members()] == [(2, (1,)), (3, (0,))]


def test_ranks_that_adalora_took_away_are_zero_again(tmp_path: Path) -> None:
    """Two of four ranks are left; the scale stays that of all four."""
    tensors = {
        f"{_QUERY}.lora_A": torch.full((2, WIDTH), 0.3),
        f"{_QUERY}.lora_B": torch.full((WIDTH, 2), 0.3),
        f"{_QUERY}.lora_E": torch.full((2, 1), 0.5),
    }
    model = bert()
    settings = {"peft_type": "ADALORA", "init_r": 4, "target_r": 2, "rank_pattern": {"any": [True, False]}}
    found = read(model, write(tmp_path, tensors, **settings))
    assert isinstance(found.config, AdaLoRAConfig)
    attach(model, found)
    x = torch.randn(1, WIDTH)
    query = model.encoder.layer[0].attention.self.query
    weight, bias = query.weight, query.bias
    wanted = x @ (weight + 4 / (4 + 1e-5) * 2 * 0.3 * 0.5 * 0.3).t() + bias
    torch.testing.assert_close(query(x), wanted)


def test_a_file_made_with_a_head_is_read_without_one(tmp_path: Path) -> None:
    """Paths begin with `bert.` where a model has a head; which of the two the file is for does not matter."""
    found = {key.replace(PREFIX, f"{PREFIX}bert."): value for key, value in lora().items()}
    base, headed = bert(), adapter_lib.init(tiny.build("bert", hf.AutoModelForMaskedLM))
    for model in (base, headed):
        for number, tensors in enumerate((found, lora())):
            read_config = read(model, write(tmp_path / str(number), tensors)).config
            assert isinstance(read_config, LoRAConfig)
            assert read_config.targets == ("q",)


def test_embeddings_that_were_saved_along_unchanged_are_left_alone(tmp_path: Path) -> None:
    model = bert()
    own = model.embeddings.word_embeddings.weight.detach().clone()
    key = f"{PREFIX}embeddings.word_embeddings.weight"
    found = read(model, write(tmp_path, {**lora(), key: own}))
    assert not found.replaced
    assert found.notes == ("1 of the model's own tensors are in the file with the values they have.",)
    changed = read(model, write(tmp_path, {**lora(), key: own + 1}))
    assert set(changed.replaced) == {"embeddings.word_embeddings.weight"}
    attach(model, changed)
    torch.testing.assert_close(model.embeddings.word_embeddings.weight.detach(), own + 1)


def test_a_resized_vocabulary_says_what_to_do(tmp_path: Path) -> None:
    key = f"{PREFIX}embeddings.word_embeddings.weight"
    with pytest.raises(LoadError, match="call resize_token_embeddings first"):
        read(bert(), write(tmp_path, {**lora(), key: torch.zeros(130, WIDTH)}))


def _head_lora(path: str, width: int) -> Tensors:
    return {
        f"{PREFIX}{path}.lora_A.weight": torch.full((2, WIDTH), 0.1),
        f"{PREFIX}{path}.lora_B.weight": torch.full((width, 2), 0.1),
    }


def test_a_lora_of_the_head_goes_into_its_weight(tmp_path: Path) -> None:
    model = adapter_lib.init(tiny.build("llama", hf.AutoModelForCausalLM))
    body = {
        f"{PREFIX}model.layers.0.self_attn.q_proj.{name}": value
        for name, value in {
            "lora_A.weight": torch.ones(2, WIDTH),
            "lora_B.weight": torch.ones(WIDTH, 2),
        }.items()
    }
    found = read(model, write(tmp_path, {**body, **_head_lora("lm_head", tiny.VOCABULARY)}))
    torch.testing.assert_close(
        found.replaced["lm_head.weight"], model.lm_head.weight.detach() + 2 * 2 * 0.1 * 0.1
    )
    assert "The LoRA of lm_head, which is no part of the base model, was put into its weight." in found.notes


def test_a_lora_of_a_tied_head_is_refused(tmp_path: Path) -> None:
    model = adapter_lib.init(tiny.build("gpt2", hf.AutoModelForCausalLM))
    with pytest.raises(LoadError, match="lm_head shares its weight"):
        read(model, write(tmp_path, _head_lora("lm_head", tiny.VOCABULARY)))


@pytest.mark.parametrize(
    ("name", "tensors", "settings", "sentence"),
    [
        ("lora_qv", {f"{_QUERY}.lora_C.weight": torch.zeros(1)}, {}, r"does not explain: .*lora_C"),
        ("lora_qv", {f"{_QUERY}.lora_A.weight": torch.zeros(4, 31)}, {}, r"\[4, 31\], and \[4, 32\]"),
        ("lora_qv", {f"{_QUERY}.lora_A.weight": torch.zeros(4)}, {}, r"\[4\], and \[4, 32\]"),
        (
            "lora_qv",
            {f"{PREFIX}encoder.none.lora_A.weight": torch.zeros(4, 32)},
            {},
            "no module 'encoder.none'",
        ),
        ("lora_qv", {f"{PREFIX}encoder.lora_A.weight": torch.zeros(4, 32)}, {}, "no map of the base model"),
        ("lora_qv", {f"{PREFIX}none.weight": torch.zeros(1)}, {}, "replaces 'none.weight'"),
        ("boft", {f"{_QUERY}.boft_R": torch.zeros(2, 8, 4, 4)}, {}, "2 butterfly factors"),
        ("boft", {f"{_QUERY}.boft_R": torch.zeros(4, 4)}, {}, r"\[factors, blocks, width, width\]"),
        ("oft", {}, {"num_cayley_neumann_terms": 2}, "2 terms"),
        ("prefix_tuning", {"prompt_embeddings": torch.zeros(3, 96)}, {}, "does not fit 2 attentions"),
        ("prompt_tuning", {"prompt_embeddings": torch.zeros(5, 32)}, {}, "does not fit 3 virtual tokens"),
        ("trainable_tokens", {}, {"token_indices": [1, 600]}, "retrains token 600"),
        ("trainable_tokens", {}, {"token_indices": [1, 1]}, "named twice"),
        ("ln_tuning", {f"{PREFIX}none.ln_tuning_layers.weight": torch.zeros(32)}, {}, "no module 'none'"),
        ("vera_seeded", {}, {"save_projection": True}, "lacks VeRA's projections"),
    ],
)
def test_refuses_what_it_does_not_understand(
    name: str, tensors: Tensors, settings: dict[str, Any], sentence: str, tmp_path: Path
) -> None:
    case = reference("peft", "bert", name)
    model = _recorded("bert")
    with pytest.raises(LoadError, match=sentence):
        read(model, altered(tmp_path, case.adapter, tensors, **settings))


def test_factors_of_an_attentions_output_need_a_value_per_head(tmp_path: Path) -> None:
    """Where two heads share a value, no factor of values is one of what the output projection gets."""
    case = reference("peft", "llama", "ia3")
    extra = {f"{PREFIX}model.layers.0.self_attn.o_proj.ia3_l": torch.ones(1, 32)}
    with pytest.raises(LoadError, match=r"input of layers\.0\.attn\.o"):
        read(_recorded("llama"), altered(tmp_path, case.adapter, extra))


def _recorded(family: str) -> Any:
    """The base of the recorded cases."""
    kind: Any = {"bert": hf.BertModel, "llama": hf.LlamaForCausalLM}[family]
    return adapter_lib.init(kind.from_pretrained(reference("peft", family, "lora_qv").base))


def test_an_alpha_below_zero_is_no_scale(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="alpha"):
        read(bert(), write(tmp_path, lora(), lora_alpha=-1))


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"target_modules": ["query", "value"]}, "2 of the modules"),
        ({"target_modules": ["query"]}, None),
        ({"target_modules": "all-linear"}, "11 of the modules"),
        ({"target_modules": r".*\.(query|key)"}, "2 of the modules"),
        ({"target_modules": ["query", "value"], "layers_to_transform": [1]}, "1 of the modules"),
        ({"target_modules": ["query", "value"], "exclude_modules": ["layer.0.attention.self.value"]}, "1 of"),
        ({"target_modules": None}, None),
    ],
)
def test_modules_that_the_settings_name_and_the_file_lacks_are_noted(
    settings: dict[str, Any], named: str | None, tmp_path: Path
) -> None:
    notes = read(bert(), write(tmp_path, lora(), **settings)).notes
    assert (named in notes[0] and "query" not in notes[0]) if named else not notes
