"""What holds for every method on every family under every block: no harm to the base, blocks as promised.

`make test` runs a spread sample of the pairs, `make test-all` every one of them.
"""

import pytest

from adapter_lib.spec.errors import AdapterLibError
from tests.adapter_lib.contract.laws import LAWS
from tests.adapter_lib.contract.methods import METHODS
from tests.adapter_lib.contract.outcomes import Outcome, keep
from tests.adapter_lib.contract.pairs import CORE, chosen, everything, sample
from tests.adapter_lib.contract.refusals import is_expected
from tests.adapter_lib.contract.subject import Subject
from tests.adapter_lib.zoo import MODELS


# WavLM hands PyTorch's attention two masks of different types.
@pytest.mark.filterwarnings("ignore:Support for mismatched key_padding_mask")
@pytest.mark.parametrize(("family", "method"), chosen())
def test_the_contract_holds(family: str, method: str) -> None:
    """Every law holds, or is refused with a sentence that is expected."""
    case = METHODS[method]
    try:
        subject = Subject(MODELS[family], case)
    except AdapterLibError as error:
        if not is_expected("add", str(error)):
            raise
        keep(Outcome(family, method, {"add": str(error)}))
        return
    outcomes, failures = {}, []
    for name, law in LAWS.items():
        try:
            law(subject)
            outcomes[name] = ""
        except AdapterLibError as error:
            outcomes[name] = str(error)
            if not is_expected(name, str(error)):
                failures.append(f"{name} was refused: {error}")
        except AssertionError as error:
            failures.append(f"{name}: {error}")
    if case.is_mergeable and outcomes.get("merge"):
        failures.append(f"{method} should merge: {outcomes['merge']}")
    assert not failures, "\n".join(failures)
    keep(Outcome(family, method, outcomes))


def test_the_sample_is_spread() -> None:
    pairs = sample()
    assert {family for family, _ in pairs} == set(MODELS)
    assert {method for _, method in pairs} == set(METHODS)
    assert all(sum(m == method for f, m in pairs if f in CORE) >= 1 for method in METHODS)
    assert set(pairs) <= set(everything())
