"""Findings in words: each code has a sentence, and a sentence never breaks."""

import re

import pytest

from hubsite.accounts.models import User
from hubsite.validation.models import Finding, Severity
from hubsite.validation.sentences import SENTENCES, Actor, describe, say
from tests.hubsite.validation.made import make_run


@pytest.mark.parametrize("code", sorted(SENTENCES))
def test_a_sentence_is_whole_even_without_details(code: str) -> None:
    said = say(code, "", {})
    assert said[0].isupper() or said.startswith(("adapter_config.json", "README.md", "adapter_lib", "–"))
    assert "{" not in said
    known = SENTENCES[code]
    assert known.advice == "" or known.advice.endswith(".")
    assert known.actor != Actor.AUTHOR or known.advice


def test_codes_fit_the_database_and_name_their_group() -> None:
    assert all(re.fullmatch(r"[a-z]+\.[a-z_]+", code) and len(code) <= 60 for code in SENTENCES)


def test_details_are_filled_in_and_never_interpreted() -> None:
    detail = {"tensor": "{path.__class__}", "actual": [16, 8], "expected": [32, 8], "backbone": "a/b"}
    assert say("tensors.wrong_shape", "adapter.safetensors", detail) == (
        "The tensor {path.__class__} has the shape 16, 8, but 32, 8 is expected on a/b."
    )


def test_a_code_of_another_release_is_named() -> None:
    assert say("magic.gone", "", {}) == "The check reported magic.gone."


def test_a_finding_is_described_with_its_advice(alice: User) -> None:
    run = make_run(alice)
    finding = Finding(
        run=run, step=run.steps.all()[1], code="format.pickle", severity=Severity.ERROR, path="weights.bin"
    )
    assert describe(finding) == (
        "weights.bin is a pickle file. Loading one can run any program, so the hub never opens it. "
        "Save the weights as safetensors: save_adapter() does so."
    )
