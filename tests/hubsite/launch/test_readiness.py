"""A site is ready when it answers with anything but a fault of its own."""

import http.server
import socket
import threading
from collections.abc import Iterator

import pytest

from hubsite.launch.readiness import answers


class _Site(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(self.server.status)  # type: ignore[attr-defined]
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Tests stay quiet."""


@pytest.fixture
def site() -> Iterator[http.server.HTTPServer]:
    server = http.server.HTTPServer(("127.0.0.1", 0), _Site)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize(("status", "ready"), [(200, True), (404, True), (500, False), (503, False)])
def test_the_status_decides(site: http.server.HTTPServer, status: int, ready: bool) -> None:
    site.status = status  # type: ignore[attr-defined]
    assert answers(f"http://127.0.0.1:{site.server_port}") is ready


def test_a_socket_that_only_listens_does_not_answer() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        assert not answers(f"http://127.0.0.1:{listener.getsockname()[1]}")


def test_a_closed_port_does_not_answer() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    assert not answers(f"http://127.0.0.1:{port}")
