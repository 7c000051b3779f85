import inspect
import json

import pytest
from django.test import Client, RequestFactory
from ninja import NinjaAPI

from hubsite.api.errors import TABLE, register, rule_for
from hubsite.core import errors
from tests.hubsite.api.asking import get


def hub_errors() -> list[type[errors.HubError]]:
    return [
        kind
        for _, kind in inspect.getmembers(errors, inspect.isclass)
        if issubclass(kind, errors.HubError) and kind is not errors.HubError
    ]


@pytest.mark.parametrize("kind", hub_errors())
def test_every_error_has_a_row_or_a_base_with_one(kind: type[errors.HubError]) -> None:
    assert any(issubclass(kind, row) for row, _ in TABLE)


def test_special_cases_stand_before_their_bases() -> None:
    kinds = [kind for kind, _ in TABLE]
    for position, kind in enumerate(kinds):
        assert not any(issubclass(kind, earlier) for earlier in kinds[:position])


def test_a_rate_limit_says_when_to_come_back() -> None:
    api = NinjaAPI(urls_namespace="errors-under-test")
    register(api)
    error = errors.RateLimited("Too many requests; wait 7 seconds.", retry_after=7)
    response = api.on_exception(RequestFactory().get("/"), error)
    assert (response.status_code, response["Retry-After"]) == (429, "7")
    assert json.loads(response.content)["error"]["code"] == rule_for(error).code


def test_a_bad_token_is_asked_for_a_better_one(db: None) -> None:
    response = Client().get("/api/v1/search", headers={"Authorization": "Bearer ahub_wrong"})
    assert (response.status_code, response["WWW-Authenticate"]) == (401, "Bearer")


def test_routes_that_do_not_exist_answer_in_the_same_shape(db: None) -> None:
    assert get("/nothing/here", status=404)["error"]["code"] == "not_found"
    assert get("/adapters/alice", status=404)["error"]["code"] == "not_found"


@pytest.mark.parametrize(
    "path",
    [
        "/search?q=a%00",
        "/search?task=a&task=%00",
        "/resolve?id=sentiment&backbone=%00",
        "/adapters/alice/pra%00ise",
        "/adapters/alice/praise?revision=%00",
        "/runs/%00",
        "/runs?repo=alice/%00",
    ],
)
def test_no_parameter_may_have_a_nul_character(db: None, path: str) -> None:
    assert get(path, status=400)["error"]["code"] == "bad_input"


def test_methods_that_do_not_exist_are_refused(db: None) -> None:
    assert Client().post("/api/v1/search").status_code == 405
