"""Saving and loading."""

import tempfile
from pathlib import Path
from typing import Any

import torch

from tests.interop.adapters_cases.defects.registry import (
    apart,
    defect,
    hidden,
    inputs,
    member,
    model,
)
from tests.interop.adapters_cases.peer import adapters, transformers


def _round_trip(name: str, config: Any) -> float:
    made = model(name, a=config)
    fresh = model(name)
    with tempfile.TemporaryDirectory() as folder:
        made.save_adapter(folder, "a")
        fresh.load_adapter(folder)
    fresh.double().eval()
    given = inputs(name)
    try:
        return apart(hidden(fresh, given, "a"), hidden(made, given, "a"))
    except RuntimeError:  # the peer mixes float32 into a float64 model here
        given = {key: value.float() if value.is_floating_point() else value for key, value in given.items()}
        return apart(hidden(fresh.float(), given, "a"), hidden(made.float(), given, "a"))


@defect("direft_reloads_as_noreft", "DiReFT saved and loaded: change of the hidden states.", 0.0)
def _direft() -> float:
    return _round_trip("bert", adapters.DiReftConfig())


@defect("prefix_refuses_safetensors", "save_adapter(use_safetensors=True) of a prefix.", "runs")
def _prefix() -> float:
    with tempfile.TemporaryDirectory() as folder:
        model("bert", a=member("prefix_a")).save_adapter(folder, "a", use_safetensors=True)
    return 0.0


@defect("prefix_is_saved_many_times", "Copies of one flat prefix's tensor in the file of a 2-layer BERT.", 1)
def _copies() -> float:
    return sum("control_trans" in name for name in _saved_names(model("bert", a=member("prefix_a"))))


@defect("norm_before_refuses_safetensors", "save_adapter(use_safetensors=True) with ln_before.", "runs")
def _norm() -> float:
    with tempfile.TemporaryDirectory() as folder:
        config = adapters.SeqBnConfig(ln_before=True)
        model("bert", a=config).save_adapter(folder, "a", use_safetensors=True)
    return 0.0


@defect(
    "pickle_is_the_default", "The weights file that save_adapter writes by default.", "adapter.safetensors"
)
def _pickle() -> str:
    with tempfile.TemporaryDirectory() as folder:
        model("bert", a=member("bn_a")).save_adapter(folder, "a")
        return next(path.name for path in Path(folder).iterdir() if path.suffix != ".json")


def _saved_names(made: Any) -> list[str]:
    with tempfile.TemporaryDirectory() as folder:
        made.save_adapter(folder, "a")
        return list(torch.load(Path(folder) / "pytorch_adapter.bin", weights_only=True))


@defect(
    "bare_compacter_loses_its_rule", "Compacter on a BertModel without head class: phm_rule tensors saved.", 1
)
def _rule() -> float:
    made = transformers.BertModel(model("bert").config)
    adapters.init(made)
    made.add_adapter("a", adapters.CompacterPlusPlusConfig(reduction_factor=4))
    return sum("phm_rule" in name for name in _saved_names(made))


@defect("bare_vera_loses_its_projections", "VeRA on a BertModel without head class: shared tensors saved.", 2)
def _projections() -> float:
    made = transformers.BertModel(model("bert").config)
    adapters.init(made)
    made.add_adapter("a", adapters.VeraConfig(r=4))
    return sum("shared_parameters" in name for name in _saved_names(made))


@defect(
    "prompt_lost_under_another_name", "Prompt tuning loaded with load_as: change of the hidden states.", 0.0
)
def _load_as() -> float:
    made, fresh = model("bert", a=adapters.PromptTuningConfig(prompt_length=4)), model("bert")
    with tempfile.TemporaryDirectory() as folder:
        made.save_adapter(folder, "a")
        fresh.load_adapter(folder, load_as="other")
    fresh.double().eval()
    return apart(hidden(fresh, inputs("bert"), "other"), hidden(made, inputs("bert"), "a"))


@defect(
    "load_adapter_fusion_gives_nothing",
    "What load_adapter_fusion returns on a model with heads.",
    "bn_a,bn_b",
)
def _fusion() -> str:
    made = model("bert", bn_a=member("bn_a"), bn_b=member("bn_b"))
    made.add_adapter_fusion(["bn_a", "bn_b"])
    with tempfile.TemporaryDirectory() as folder:
        made.save_adapter_fusion(folder, "bn_a,bn_b")
        made.delete_adapter_fusion("bn_a,bn_b")
        return str(made.load_adapter_fusion(folder))
