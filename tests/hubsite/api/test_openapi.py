"""The API's description is a promise: a change of it is made knowingly, by writing the snapshot anew.

python -m tests.hubsite.api.test_openapi
"""

import json
import os
from pathlib import Path

import django
import pytest
from django.test import Client

SNAPSHOT = Path(__file__).with_name("openapi.json")


def description() -> str:
    from hubsite.api.urls import api  # needs Django set up, which `python -m` does below

    return json.dumps(api.get_openapi_schema(), indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def test_the_description_is_the_snapshot() -> None:
    assert description() == SNAPSHOT.read_text(), f"write it anew: python -m {__name__}"


def test_every_operation_says_what_it_does() -> None:
    paths = json.loads(description())["paths"]
    assert {"/api/v1/search", "/api/v1/resolve", "/api/v1/adapters/{namespace}/{name}"} < set(paths)
    for operations in paths.values():
        for operation in operations.values():
            assert operation["summary"]
            assert operation["description"]


@pytest.mark.django_db
def test_the_documentation_needs_no_other_host() -> None:
    page = Client().get("/api/v1/docs").content.decode()
    assert "swagger-ui-bundle.js" in page
    assert '"validatorUrl": null' in page
    assert "http" not in page.replace("http://testserver", "")
    for name in ("swagger-ui-bundle.js", "swagger-ui.css", "swagger-ui-init.js"):
        assert f"/static/ninja/{name}" in page
        assert _served(f"/static/ninja/{name}") > 1_000


@pytest.mark.parametrize("path", ["/api/v1", "/api/v1/"])
def test_the_bare_address_leads_to_the_documentation(path: str) -> None:
    assert Client().get(path)["Location"] == "/api/v1/docs"


def _served(path: str) -> int:
    """Bytes of a static file."""
    response = Client().get(path)
    assert response.status_code == 200
    size = sum(map(len, response))
    response.close()
    return size


def test_health_asks_nobody() -> None:
    # Without database access in this test, a query would raise.
    assert Client().get("/api/v1/health").json() == {"status": "ok"}


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "hubsite.settings")
    django.setup()
    SNAPSHOT.write_text(description())
