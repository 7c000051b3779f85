from typing import Any

import pytest

from adapter_lib.hub.errors import HubAnswerError, PublishError
from adapter_lib.hub.following import find_run, follow, require_published
from tests.adapter_lib.hub.answering import Answer, answering, as_json

REVISION = "a" * 40


def run(done: int, *, state: str = "validating", status: str = "running", **others: Any) -> Answer:
    steps = [
        {"title": f"Step {n}", "status": "passed" if n < done else "running" if n == done else "pending"}
        for n in range(3)
    ]
    answer = {
        "id": "run-1",
        "status": status,
        "state": state,
        "finished": status not in ("queued", "running"),
        "steps_done": done,
        "steps": steps,
        "findings": [],
    }
    return as_json(answer | others)


def test_follows_to_the_end_with_growing_pauses() -> None:
    pauses: list[float] = []
    end = run(3, state="published", status="passed")
    with answering(run(0, status="queued"), run(1), run(2), end) as server:
        found = follow(server.hub, "alice/x", REVISION, 60, sleep=pauses.append)
        require_published(server.hub, "alice/x", found)
    assert (found.state, found.is_finished, found.steps_done) == ("published", True, 3)
    assert pauses == sorted(pauses)
    assert len(pauses) == 3
    assert server.requests[0][0] == f"/api/v1/runs?repo=alice%2Fx&revision={REVISION}"


def test_names_the_step_in_work() -> None:
    with answering(run(1)) as server:
        assert find_run(server.hub, "alice/x", REVISION).current == "Step 1"


def test_a_validation_that_takes_too_long() -> None:
    with answering(run(1)) as server, pytest.raises(PublishError, match=r"1 of 3 steps.*/runs/run-1"):
        follow(server.hub, "alice/x", REVISION, 0)


def test_findings_become_the_error() -> None:
    findings = [
        {"sentence": "B is all zero.", "advice": "Train it.", "severity": "error"},
        {"sentence": "No licence.", "advice": "", "severity": "warning"},
    ]
    with answering(run(2, state="failed", status="failed", findings=findings)) as server:
        found = follow(server.hub, "alice/x", REVISION, 5)
        with pytest.raises(
            PublishError, match=r"\(1\) B is all zero\. Train it\. \(2\) No licence\."
        ) as caught:
            require_published(server.hub, "alice/x", found)
    assert caught.value.findings == ("B is all zero. Train it.", "No licence.")


def test_the_hubs_own_fault_is_not_blamed_on_the_adapter() -> None:
    with answering(run(2, status="dead")) as server:
        found = follow(server.hub, "alice/x", REVISION, 5)
        with pytest.raises(PublishError, match="its staff must look"):
            require_published(server.hub, "alice/x", found)


@pytest.mark.parametrize(
    "wrong", [{"steps": 3}, {"finished": "yes"}, {"steps_done": 9}, {"findings": [1]}, {"state": None}]
)
def test_an_answer_of_another_shape(wrong: dict[str, Any]) -> None:
    with answering(run(1, **wrong)) as server, pytest.raises(HubAnswerError, match="something unexpected"):
        find_run(server.hub, "alice/x", REVISION)
