"""Our numbers against those of `adapters` 1.3.0, case by case.

Every case is imported as the peer's files say it. It agrees to 1e-5, or it is one of `KNOWN`: there the
peer's number is another, by how much is written down, and test_adapters_explained.py shows why.
"""

from collections.abc import Iterator

import pytest
from safetensors.torch import load_file

from adapter_lib.spec.errors import FamilyError
from tests.adapter_lib.zoo.spreading import spread
from tests.interop import ours
from tests.interop.known_differences import KNOWN
from tests.interop.reading import Reference, families, reference, references

CLOSE = 1e-5
# The peer applies the coupling behind the encoder's last norm, where it changes what the decoder sees; there
# is no module between Whisper's embeddings and its first layer.
NO_PLACE = {("whisper", "seq_bn_inv")}


def _cases() -> Iterator[tuple[str, str]]:
    for family in families("adapters"):
        for case in references("adapters", family=family):
            if "head" not in case.entry and (family, case.case) not in NO_PLACE:
                yield family, case.case


@pytest.mark.parametrize(("family", "case"), spread(_cases(), 2))
def test_computes_what_the_peer_computes(family: str, case: str) -> None:
    found = ours.deviations(reference("adapters", family, case))
    known = KNOWN.get((family, case))
    if known is None:
        assert all(value < CLOSE for value in found.values()), found
    else:
        assert found == pytest.approx(dict(zip(found, known, strict=True)), rel=2e-3)


@pytest.mark.parametrize("family", families("adapters"))
def test_the_bases_agree(family: str) -> None:
    """The peer's transformers and ours compute the same before any adapter is there."""
    case = next(references("adapters", family=family))
    variants = ("plain", "padded") if "padded" in case.variants else ("plain",)
    for variant in variants:
        bare = Reference("adapters", family, "base", {"variants": variants})
        found = ours.run(ours.base_model(case.base), bare, variant)
        assert ours.deviation(found, bare.base_outputs(variant)) < CLOSE


@pytest.mark.parametrize(("family", "case"), sorted(NO_PLACE))
def test_what_has_no_place_is_refused(family: str, case: str) -> None:
    with pytest.raises(FamilyError, match="no embed"):
        ours.deviations(reference("adapters", family, case))


# By family: checkpoints, tensors ported, tensors that repeat others or never act, parameters of ours.
TENSORS = {
    "albert": (6, 47, 0, 45),
    "bart": (10, 239, 0, 247),
    "beit": (4, 60, 0, 56),
    "bert": (78, 840, 86, 851),
    "bert-generation": (6, 81, 0, 79),
    "clip": (5, 122, 0, 126),
    "deberta-v2": (6, 81, 0, 79),
    "distilbert": (6, 81, 0, 79),
    "electra": (6, 81, 0, 79),
    "encoder-decoder": (6, 179, 16, 177),
    "gpt2": (54, 589, 84, 647),
    "gptj": (6, 81, 0, 79),
    "llama": (42, 489, 12, 502),
    "mbart": (6, 171, 0, 169),
    "mistral": (6, 81, 0, 79),
    "roberta": (6, 81, 0, 79),
    "t5": (46, 1213, 24, 1262),
    "t5-gated": (6, 171, 0, 169),
    "vit": (43, 459, 12, 468),
    "whisper": (5, 147, 0, 145),
    "xlm-roberta": (6, 81, 0, 79),
}


@pytest.mark.parametrize("family", families("adapters"))
def test_every_tensor_is_accounted_for(family: str) -> None:
    """Porting fails for a tensor that it does not know; here is how many there were."""
    files = {
        name: case
        for case in references("adapters", family=family)
        for name in case.adapters
        if (family, case.case) not in NO_PLACE
    }
    taken = aside = filled = 0
    for name, case in files.items():
        model = ours.base_model(case.base)
        found = ours.ported(case, name, model)
        in_file = len(load_file(str(case.adapters[name] / "adapter.safetensors")))
        taken, aside = taken + in_file - len(found.set_aside), aside + len(found.set_aside)
        try:
            filled += ours.add(model, name, found)
        finally:
            model.delete_adapter(name)
    counted = (len(files), taken, aside, filled)
    assert counted == TENSORS[family]
