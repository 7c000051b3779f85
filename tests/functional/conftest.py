"""A real browser over a live server, each test with its own data."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.cache import cache
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, sync_playwright
from pytest_django import Settings, live_server_helper

from hubsite.core.queue import configure, producer

_NAMES = ("chromium", "chromium-browser", "google-chrome")


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Debian's Chromium. Without one, a newcomer's tests are skipped; CI has to have it."""
    path = next((found for name in _NAMES if (found := shutil.which(name))), None)
    if path is None:
        if os.environ.get("CI"):
            pytest.fail("No chromium on this machine; CI installs Debian's package `chromium`.")
        pytest.skip("No chromium on this machine: apt-get install chromium")
    # Playwright's own event loop runs in this thread; Django takes that for asynchronous code.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])
        yield started
        started.close()
    os.environ.pop("DJANGO_ALLOW_ASYNC_UNSAFE")


@pytest.fixture(autouse=True)
def _own_folders(settings: Settings, tmp_path: Path) -> Iterator[None]:
    settings.BLOB_DIR = tmp_path / "blobs"
    settings.QUEUE_DIR = tmp_path / "queue"
    settings.SEARCH_INDEX_DIR = tmp_path / "search"
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    former = producer.conf.broker_transport_options
    configure(producer)
    producer._after_fork()  # which forgets the connections to the former folder
    cache.clear()
    yield
    producer.conf.broker_transport_options = former
    producer._after_fork()
    cache.clear()


def _is_fault(message: ConsoleMessage) -> bool:
    """An error on the console; a form that is refused (400) is told there too, and meant."""
    return message.type == "error" and "status of 400" not in message.text


@pytest.fixture
def context(browser: Browser, live_server: live_server_helper.LiveServer) -> Iterator[BrowserContext]:
    """A fresh browser profile at desktop width; an error on a page's console fails the test."""
    made = browser.new_context(base_url=live_server.url, viewport={"width": 1280, "height": 900})
    made.set_default_timeout(10_000)
    problems: list[str] = []
    made.on("weberror", lambda error: problems.append(str(error.error)))
    made.on("console", lambda message: problems.append(message.text) if _is_fault(message) else None)
    yield made
    made.close()
    assert not problems, problems


@pytest.fixture
def tab(context: BrowserContext) -> Page:
    """A tab of that browser."""
    return context.new_page()


@pytest.fixture
def plain_context(browser: Browser, live_server: live_server_helper.LiveServer) -> Iterator[BrowserContext]:
    """A browser with JavaScript switched off."""
    made = browser.new_context(base_url=live_server.url, java_script_enabled=False)
    made.set_default_timeout(10_000)
    yield made
    made.close()
