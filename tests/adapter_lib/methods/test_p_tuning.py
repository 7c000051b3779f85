"""P-tuning's encoders recomputed with plain products in float64, and prompts made flat."""

from typing import Any

import pytest
import torch
from torch import Tensor

import adapter_lib
from adapter_lib import parse_config
from adapter_lib.spec.configs import Place, PromptTuningConfig, PTuningConfig
from adapter_lib.spec.errors import AttachError, ConfigError, UnknownNameError
from tests.adapter_lib.methods.prompts import as_words
from tests.adapter_lib.tiny import build, inputs, prepared


def _part(model: Any, name: str = "a") -> Any:
    return model.adapter_runtime.injection.members(name)[0]


def _weights(part: Any) -> dict[str, Tensor]:
    return {name: parameter.detach() for name, parameter in part.named_parameters()}


def _mlp(x: Tensor, w: dict[str, Tensor], maps: int) -> Tensor:
    for number in range(maps):
        x = x @ w[f"mlp.{number}.weight"].T + w[f"mlp.{number}.bias"]
        x = x.clamp(min=0) if number < maps - 1 else x
    return x


def _direction(x: Tensor, w: dict[str, Tensor], end: str) -> Tensor:
    """One direction of an LSTM's layer: i, f, g, o = W x + U h + b; c = f c + i g; h = o tanh(c)."""
    hidden = w[f"lstm.weight_hh_{end}"].shape[1]
    h = c = x.new_zeros(hidden)
    states = []
    for step in x:
        inner = w[f"lstm.weight_ih_{end}"] @ step + w[f"lstm.bias_ih_{end}"]
        inner = inner + w[f"lstm.weight_hh_{end}"] @ h + w[f"lstm.bias_hh_{end}"]
        i, f, g, o = inner.split(hidden)
        c = f.sigmoid() * c + i.sigmoid() * g.tanh()
        h = o.sigmoid() * c.tanh()
        states.append(h)
    return torch.stack(states)


def _lstm(x: Tensor, w: dict[str, Tensor], layers: int) -> Tensor:
    for layer in range(layers):
        back = _direction(x.flip(0), w, f"l{layer}_reverse").flip(0)
        x = torch.cat([_direction(x, w, f"l{layer}"), back], dim=1)
    return x


@pytest.mark.parametrize("family", ["bert", "gpt2"])
@pytest.mark.parametrize("encoder", ["mlp", "lstm"])
def test_the_prompt_is_what_the_network_makes(family: str, encoder: str) -> None:
    config = (
        f"p_tuning[prompt_length=5, encoder={encoder}, hidden_size=6, encoder_layers=2, combine=after_first]"
    )
    model = prepared(family, a=config).double()
    w = _weights(_part(model))
    prompt = _mlp(w["embedding"], w, 3) if encoder == "mlp" else _mlp(_lstm(w["embedding"], w, 2), w, 2)
    torch.testing.assert_close(_part(model).made(), prompt, atol=1e-12, rtol=0)
    base, given = build(family).double(), {key: value[:1] for key, value in inputs().items()}
    with torch.no_grad():
        hidden = base(**as_words(base, given, prompt, 1)).last_hidden_state
        model.active_adapters = "a"
        found = model(**given).last_hidden_state
    torch.testing.assert_close(found, torch.cat([hidden[:, :1], hidden[:, 6:]], dim=1), atol=1e-10, rtol=0)


@pytest.mark.parametrize("encoder", ["mlp", "lstm"])
def test_ejecting_leaves_the_same_prompt(encoder: str) -> None:
    model = prepared("bert", a=f"p_tuning[prompt_length=4, encoder={encoder}, dropout=0.5, use_gating=true]")
    model.active_adapters = "a"
    with torch.no_grad():
        expected = model(**inputs()).last_hidden_state
    model.train()
    model.eject_p_tuning("a")
    model.eval()
    assert model.adapter_runtime.injection.configs["a"] == PromptTuningConfig(
        prompt_length=4, use_gating=True
    )
    with torch.no_grad():
        assert torch.equal(model(**inputs()).last_hidden_state, expected)
    with pytest.raises(AttachError, match="has no reparametrised prompt to replace"):
        model.eject_p_tuning("a")
    with pytest.raises(UnknownNameError):
        model.eject_p_tuning("b")


def test_dropout_acts_in_training_only() -> None:
    model = prepared("bert", a="p_tuning[dropout=0.5]", b="p_tuning[encoder=lstm, dropout=0.5]")
    for name in ("a", "b"):
        part = _part(model, name)
        assert torch.equal(part.eval().made(), part.made())
        assert not torch.equal(part.train().made(), part.made())


@pytest.mark.parametrize("encoder", ["mlp", "lstm"])
def test_shapes_are_those_of_the_tensors(encoder: str) -> None:
    for hidden, layers in ((None, 1), (6, 3)):
        config = PTuningConfig(encoder=encoder, hidden_size=hidden, encoder_layers=layers, prompt_length=4)
        model = adapter_lib.init(build("gpt2"))
        model.add_adapter("a", config)
        place = Place("prompt", -1, 32, 32, "prompt", tower="decoder")
        assert {n: tuple(w.shape) for n, w in _weights(_part(model)).items()} == config.shapes(place)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("p_tuning[encoder=gru]", "encoder must be one of 'lstm', 'mlp'"),
        ("p_tuning[hidden_size=0]", "hidden_size must be a whole number of at least 1"),
        ("p_tuning[encoder_layers=0]", "encoder_layers must be a whole number of at least 1"),
        ("p_tuning[dropout=1]", "dropout must be a number from 0"),
    ],
)
def test_wrong_configs_are_refused(text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        parse_config(text)
