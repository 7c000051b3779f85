from typing import Any

import pytest

from adapter_lib.hub.answers import AdapterFile, BackboneChoice, resolution, run_state
from adapter_lib.spec.fields import FieldError, Fields

SHA = "a" * 40
CHOICE: dict[str, Any] = {
    "id": "alice/x",
    "revision": SHA,
    "version": "v2",
    "state": "published",
    "reason": "the only one that fits",
    "backbone": {"id": "a/bert", "revision": None, "repo": "alice/bert"},
    "files": [{"path": "adapter_config.json", "sha256": "0" * 64, "size": 7}],
}
ANSWER: dict[str, Any] = {
    "kind": "query",
    "choice": CHOICE,
    "candidates": [CHOICE | {"version": None}],
    "total": 2,
}


def test_a_resolution_is_read() -> None:
    found = resolution(Fields(ANSWER | {"later": "addition"}))
    assert (found.kind, found.total) == ("query", 2)
    assert found.files == (AdapterFile("adapter_config.json", "0" * 64, 7),)
    assert found.choice.backbone == BackboneChoice("a/bert", None, "alice/bert")
    assert found.choice.label == "alice/x v2"
    assert found.candidates[0].label == f"alice/x {'a' * 12}"


@pytest.mark.parametrize(
    "wrong",
    [
        {"kind": None},
        {"choice": []},
        {"choice": CHOICE | {"files": {}}},
        {"choice": CHOICE | {"files": [{"path": "a", "sha256": "0", "size": -1}]}},
        {"choice": CHOICE | {"backbone": "a/bert"}},
        {"choice": CHOICE | {"id": "alice/\x1b[31mx"}},
        {"candidates": None},
        {"total": 0},
        {"total": True},
    ],
)
def test_a_resolution_of_another_shape(wrong: dict[str, Any]) -> None:
    with pytest.raises(FieldError):
        resolution(Fields(ANSWER | wrong))


def test_a_queued_run_has_no_step_in_work() -> None:
    step = {"title": "Layout", "status": "pending"}
    run = {
        "id": "1",
        "status": "queued",
        "state": "received",
        "finished": False,
        "steps_done": 0,
        "findings": [],
    }
    found = run_state(Fields(run | {"steps": [step]}))
    assert (found.steps, found.current, found.is_finished) == (("Layout",), "", False)
