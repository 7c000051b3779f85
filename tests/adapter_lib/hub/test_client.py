import socket
import threading
from pathlib import Path

import pytest

from adapter_lib.hub import client
from adapter_lib.hub.client import get_json
from adapter_lib.hub.errors import HubAnswerError, HubUnreachableError
from adapter_lib.hub.settings import Hub
from tests.adapter_lib.hub.answering import Answer, answering, as_json


def test_parameters_and_token_are_sent() -> None:
    with answering(as_json({"a": 1})) as server:
        answer = get_json(server.hub, "search", {"q": "a b", "task": "", "method": ["x", "y"], "size": 2})
    path, headers = server.requests[0]
    assert answer == {"a": 1}
    assert path == "/api/v1/search?q=a+b&method=x&method=y&size=2"
    assert headers["authorization"] == "Bearer ahub_x"
    assert headers["user-agent"].startswith("adapter_lib/")


def test_without_a_token_none_is_sent() -> None:
    with answering(as_json({}), token=None) as server:
        get_json(server.hub, "search", {})
    assert "authorization" not in server.requests[0][1]


def test_a_redirect_does_not_carry_the_token_away() -> None:
    with (
        answering(as_json({"here": True})) as stranger,
        answering((302, b"", {"Location": f"{stranger.hub.endpoint}/x"})) as server,
    ):
        assert get_json(server.hub, "search", {}) == {"here": True}
    assert "authorization" in server.requests[0][1]
    assert "authorization" not in stranger.requests[0][1]


def test_the_hubs_own_sentence_is_passed_on() -> None:
    error = {"error": {"code": "conflict", "message": "It is made for another backbone."}}
    with answering(as_json(error, 409)) as server, pytest.raises(HubAnswerError) as caught:
        get_json(server.hub, "resolve", {})
    assert str(caught.value) == "It is made for another backbone."
    assert (caught.value.code, caught.value.status) == ("conflict", 409)


def test_a_wrong_token_says_where_tokens_are_made() -> None:
    error = {"error": {"code": "invalid_token", "message": "The token is unknown."}}
    with answering(as_json(error, 401)) as server, pytest.raises(HubAnswerError, match="/tokens"):
        get_json(server.hub, "resolve", {})


@pytest.mark.parametrize(
    "answer",
    [
        (200, b"<html>", {}),
        (200, b"[1]", {}),
        (200, b"\xff", {}),
        (200, b"[" * 100_000, {}),
        (500, b"<html>", {}),
        (404, b'{"error": "text"}', {}),
        (404, b"[]", {}),
        (404, b'{"error": {"code": "x"}}', {}),
    ],
)
def test_what_is_no_hub_is_called_so(answer: Answer) -> None:
    with (
        answering(answer) as server,
        pytest.raises(HubAnswerError, match="is an adapter hub at this") as caught,
    ):
        get_json(server.hub, "resolve", {})
    assert caught.value.code == "bad_answer"


def test_an_answer_without_end_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "MAX_ANSWER_BYTES", 10)
    with (
        answering((200, b'{"a": "0123456789"}', {})) as server,
        pytest.raises(HubAnswerError, match="more than 10"),
    ):
        get_json(server.hub, "search", {})


def test_nobody_there() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    hub = Hub(f"http://127.0.0.1:{port}", None, Path("unused"))
    with pytest.raises(
        HubUnreachableError, match=f"No hub answers at http://127.0.0.1:{port}.*ADAPTER_HUB_ENDPOINT"
    ):
        get_json(hub, "search", {})


def test_a_server_that_speaks_something_else() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        hub = Hub(f"http://127.0.0.1:{server.getsockname()[1]}", None, Path("unused"))

        def greet() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(1000)
                connection.sendall(b"SSH-2.0-x\r\n")

        thread = threading.Thread(target=greet)
        thread.start()
        with pytest.raises(HubUnreachableError):
            get_json(hub, "search", {})
        thread.join()


def test_offline_nothing_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(HubUnreachableError, match="HF_HUB_OFFLINE is set"):
        get_json(Hub("http://127.0.0.1:1", None, Path("unused")), "search", {})
