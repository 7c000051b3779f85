"""Every refusal is a page in our look with one sentence."""

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory

from hubsite.accounts.models import User
from hubsite.core import errors
from hubsite.web.errors import page, server_error, status_of


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (errors.BadInput("x"), 400),
        (errors.Forbidden("x"), 403),
        (errors.RepoNotFound("x"), 404),
        (errors.StaleParent("x"), 409),
        (errors.TooLarge("x"), 413),
        (errors.RateLimited("x", retry_after=3), 429),
        (errors.BlobMissing("x"), 503),
        (errors.StorageFull("x"), 507),
    ],
)
def test_domain_errors_become_pages(rf: RequestFactory, error: errors.HubError, status: int) -> None:
    error.message = "The <one> sentence."

    @page
    def view(request: HttpRequest) -> HttpResponse:
        raise error

    response = view(rf.get("/"))
    assert (response.status_code, status_of(error)) == (status, status)
    assert "The &lt;one&gt; sentence." in response.content.decode()
    assert "default-src 'self'" in response["Content-Security-Policy"]
    assert response.get("Retry-After") == ("3" if status == 429 else None)


def test_every_error_of_the_hub_has_its_own_status() -> None:
    def below(kind: type[errors.HubError]) -> list[type[errors.HubError]]:
        return [kind, *(deeper for one in kind.__subclasses__() for deeper in below(one))]

    plain = [kind for kind in below(errors.HubError)[1:] if kind.__module__ == errors.__name__]
    for kind in plain:
        error = kind.__new__(kind)
        if status_of(error) == 400:
            assert kind is errors.BadInput, kind


def test_who_must_sign_in_is_led_there(rf: RequestFactory) -> None:
    @page
    def view(request: HttpRequest) -> HttpResponse:
        raise errors.Unauthenticated("x")

    assert view(rf.get("/upload?name=a"))["Location"] == "/account/login/?next=/upload%3Fname%3Da"


def test_an_unknown_address(client: Client, db: None) -> None:
    response = client.get("/no/such/page/at/all")
    assert response.status_code == 404
    assert "adapter hub" in response.content.decode()


def test_our_own_fault_has_a_page_that_needs_nothing(rf: RequestFactory) -> None:
    response = server_error(rf.get("/"))
    assert response.status_code == 500
    assert "The fault is ours" in response.content.decode()


def test_a_signed_in_reader_gets_the_same_pages(as_alice: Client, alice: User) -> None:
    assert "Sign out" in as_alice.get("/nobody/nothing").content.decode()
