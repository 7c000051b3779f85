from typing import Any

import pytest

import adapter_lib
from adapter_lib.hub.errors import HubAnswerError
from tests.adapter_lib.hub.answering import answering, as_json

ROW: dict[str, Any] = {
    "id": "alice/x",
    "revision": "a" * 40,
    "version": "v2",
    "summary": "One.\nTwo.",
    "task": "sentiment",
    "languages": ["en"],
    "backbone": "a/bert",
    "method": "lora",
    "license": "mit",
    "score": {"metric": "accuracy", "value": 0.9},
    "downloads": 3,
    "something": "new",
}


def test_rows_become_hits() -> None:
    with answering(as_json({"total": 1, "results": [ROW, ROW | {"score": None}]})) as server:
        scored, unscored = adapter_lib.search("film", task="sentiment", endpoint=server.hub.endpoint)
    assert server.requests[0][0] == "/api/v1/search?q=film&task=sentiment&sort=score&size=20"
    assert (scored.score, scored.metric, scored.summary) == (0.9, "accuracy", "One. Two.")
    assert scored.load == f"hub:alice/x@{'a' * 40}"
    assert (unscored.score, unscored.metric) == (None, "")


@pytest.mark.parametrize(
    "wrong", [{"score": {"metric": "f1", "value": 2}}, {"id": None}, {"languages": "en"}]
)
def test_rows_of_another_shape(wrong: dict[str, Any]) -> None:
    with (
        answering(as_json({"results": [ROW | wrong]})) as server,
        pytest.raises(HubAnswerError, match="unexpected"),
    ):
        adapter_lib.search(endpoint=server.hub.endpoint)
