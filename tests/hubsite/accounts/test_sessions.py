"""Sign-up through allauth's own form, and sessions as actors."""

import pytest
from allauth.account.forms import SignupForm
from django.contrib.auth import authenticate
from django.contrib.auth.models import AnonymousUser
from django.contrib.sessions.backends.db import SessionStore
from django.http import HttpRequest
from django.middleware.csrf import get_token
from django.test import RequestFactory

from hubsite.accounts.authentication import actor_from_request
from hubsite.accounts.models import Namespace, Scope, User
from hubsite.core.errors import Conflict, Forbidden
from tests.hubsite.factories import PASSWORD

pytestmark = pytest.mark.django_db


def sign_up(name: str) -> SignupForm:
    """The filled form, saved if it is valid."""
    words = {"username": name, "email": "", "password1": PASSWORD, "password2": PASSWORD}
    form = SignupForm(words)
    if form.is_valid():
        form.save(request("POST", AnonymousUser()))
    return form


def request(method: str, user: User | AnonymousUser) -> HttpRequest:
    made = RequestFactory().generic(method, "/")
    made.user = user
    made.session = SessionStore()
    return made


def test_signing_up_makes_the_namespace() -> None:
    assert not sign_up("Carol").errors
    user = User.objects.get()
    assert (user.username, user.namespace.name) == ("Carol", "Carol")
    assert user.check_password(PASSWORD)


@pytest.mark.parametrize(
    ("name", "sentence"),
    [("sentiment", "reserved"), ("a1ice", "looks too much"), ("a b", "characters"), ("x" * 41, "longer")],
)
def test_the_form_refuses_what_the_rules_refuse(alice: User, name: str, sentence: str) -> None:
    assert sentence in sign_up(name).errors["username"][0]
    assert User.objects.get() == alice


@pytest.mark.parametrize("name", ["google-bert", "Google.Bert", "sentence-transformers", "m1crosoft"])
def test_nobody_signs_up_as_a_publisher_of_backbones(db: None, name: str) -> None:
    assert "known publisher" in sign_up(name).errors["username"][0]
    assert not User.objects.exists()


def test_user_and_namespace_come_together_or_not_at_all(alice: User) -> None:
    """Somebody takes the name between the form's check and the save."""
    form = SignupForm({"username": "carol", "password1": PASSWORD, "password2": PASSWORD})
    assert form.is_valid()
    Namespace.objects.filter(owner=alice).update(name="caro1", key="caro1", skeleton="carol")
    with pytest.raises(Conflict):
        form.save(request("POST", AnonymousUser()))
    assert User.objects.get() == alice


@pytest.mark.parametrize("login", ["alice", "ALICE"])
def test_signing_in_by_name_in_any_case(alice: User, login: str) -> None:
    assert authenticate(None, username=login, password=PASSWORD) == alice
    assert authenticate(None, username=login, password="wrong") is None


def test_a_session_has_all_rights_of_its_user(alice: User) -> None:
    actor = actor_from_request(request("GET", alice))
    assert (actor.user, actor.scope) == (alice, Scope.WRITE)
    assert actor_from_request(request("POST", AnonymousUser())).is_anonymous


def test_a_strange_page_cannot_write_with_the_cookie(alice: User) -> None:
    with pytest.raises(Forbidden, match="security token"):
        actor_from_request(request("POST", alice))


def test_our_own_page_can(alice: User) -> None:
    made = request("POST", alice)
    made.META["HTTP_X_CSRFTOKEN"] = get_token(made)
    made.COOKIES["csrftoken"] = made.META["CSRF_COOKIE"]
    assert actor_from_request(made).user == alice
