"""Signs a browser in without going through the form, which has a test of its own."""

from django.conf import settings
from django.test import Client
from playwright.sync_api import BrowserContext

from tests.hubsite import factories


def sign_in(context: BrowserContext, name: str) -> None:
    """Gives the browser the session of the user `name`, who is made if need be."""
    client = Client()
    client.force_login(factories.make_user(name))
    cookie = client.cookies[settings.SESSION_COOKIE_NAME].value
    # Playwright wants the address a cookie belongs to; the context's own pages know it.
    tab = context.new_page()
    tab.goto("/robots.txt")
    context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": cookie, "url": tab.url}])
    tab.close()
