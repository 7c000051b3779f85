"""The code on the pages that tell how to add something runs, on a model that a reader could have at hand."""

from typing import Any

import pytest
import torch

from tests.adapter_lib import tiny
from tests.docs.markers import DOCS
from tests.docs.reading import code_of

PAGE = DOCS / "how-to-add-a-family.md"


def test_a_family_can_be_proposed(capsys: pytest.CaptureFixture[str]) -> None:
    inputs = {"input_ids": torch.arange(2, 14).view(2, 6)}
    namespace: dict[str, Any] = {"model": tiny.build("bert").eval(), "inputs": inputs}
    for code in code_of(PAGE):
        exec(compile(code, PAGE.name, "exec"), namespace)  # noqa: S102
    assert "FamilySpec(" in capsys.readouterr().out
