"""A server of fixed answers, for what the real hub never says."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from adapter_lib.hub.settings import Hub

TOKEN = "ahub_x"
Answer = tuple[int, bytes, dict[str, str]]


@dataclass
class Answering:
    """The server's hub, the answers still to give (the last one stays), and the requests so far."""

    hub: Hub
    answers: list[Answer]
    requests: list[tuple[str, dict[str, str]]] = field(default_factory=list)


def as_json(value: Any, status: int = 200) -> Answer:
    return status, json.dumps(value).encode(), {"Content-Type": "application/json"}


@contextmanager
def answering(
    *answers: Answer, cache: Path = Path("unused"), token: str | None = TOKEN
) -> Iterator[Answering]:
    """A hub on a free port that gives `answers` in turn."""
    found: Answering

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            headers = {key.lower(): value for key, value in self.headers.items()}
            found.requests.append((self.path, headers))
            status, body, extra = found.answers.pop(0) if len(found.answers) > 1 else found.answers[0]
            self.send_response(status)
            for key, value in extra.items():
                self.send_header(key, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            """Silence."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    found = Answering(Hub(f"http://127.0.0.1:{server.server_port}", token, cache), list(answers))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield found
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
