"""Pictures of every page, for people to look at: `make screenshots` writes them to screenshots/."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext
from pytest_django import live_server_helper

from hubsite.registry.models import Commit
from hubsite.validation.models import Run, Severity
from hubsite.validation.reports import Found
from hubsite.validation.steps import StepName
from tests.functional import gallery, validations
from tests.functional.exhibits import ADAPTERS, LONG
from tests.functional.signing_in import sign_in
from tests.hubsite import factories

FOLDER = Path(__file__).resolve().parents[2] / "screenshots"
WIDTHS = {"phone": 390, "desk": 1440}
PUBLIC = {
    "browse": "/",
    "browse-search": "/?q=reviews&language=en",
    "browse-nothing": "/?q=zzzzqqqq&task=ner",
    "adapter": "/demo/sentiment-lora",
    "adapter-long": f"/linguistics-lab-of-the-north/{LONG}",
    "adapter-unscored": "/linguistics-lab-of-the-north/xnli-de",
    "dataset": "/datasets/demo/sentiment-sentences",
    "sign-in": "/account/login/",
    "sign-up": "/account/signup/",
    "reset": "/account/password/reset/",
    "not-found": "/nobody/nothing",
}


def _shoot(context: BrowserContext, pages: dict[str, str], suffix: str) -> None:
    tab = context.new_page()
    for name, path in pages.items():
        tab.goto(path)
        tab.screenshot(path=FOLDER / f"{name}-{suffix}.png", full_page=True)
        wide = tab.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide <= 0, f"{name} at {suffix} scrolls sideways by {wide} px"
    tab.close()


def _failing(found: Found, at: StepName) -> Run:
    repo = factories.make_repo(factories.make_user("alice"), "diverged-last-night")
    files = gallery.files_of(ADAPTERS[0])
    run = Run.objects.get(commit=factories.make_commit(repo, files, lfs={"adapter.safetensors"}))
    validations.fail(run, at, found)
    return run


def _private_pages() -> dict[str, str]:
    found = Found(
        StepName.TENSORS,
        "tensors.not_finite",
        Severity.ERROR,
        detail={"tensor": "layers.3.attn.q.lora_b", "count": 3072},
    )
    failed = _failing(found, StepName.TENSORS)
    repo = factories.make_repo(factories.make_user("alice"), "under-way")
    going: Commit = factories.make_commit(repo, gallery.files_of(ADAPTERS[1]))
    running = Run.objects.get(commit=going)
    validations.start(running, 6)
    passed = Run.objects.get(commit__repo__name="reviews-houlsby")
    return {
        "run-failed": f"/runs/{failed.id}",
        "run-running": f"/runs/{running.id}",
        "run-passed": f"/runs/{passed.id}",
        "adapter-failed": "/alice/diverged-last-night",
        "tokens": "/tokens",
        "upload": "/upload",
        "browse-owner": "/",
    }


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("device", WIDTHS)
@pytest.mark.django_db(transaction=True)
def test_take(browser: Browser, live_server: live_server_helper.LiveServer, device: str, scheme: str) -> None:
    """Every page at this width and in this scheme; none may scroll sideways."""
    FOLDER.mkdir(exist_ok=True)
    suffix = f"{device}-{scheme}"
    context = browser.new_context(
        base_url=live_server.url,
        viewport={"width": WIDTHS[device], "height": 900},
        color_scheme="dark" if scheme == "dark" else "light",
        device_scale_factor=1 if device == "desk" else 2,
    )
    gallery.index()
    _shoot(context, {"browse-empty": "/"}, suffix)
    gallery.fill(adapters=ADAPTERS)
    _shoot(context, PUBLIC, suffix)
    pages = _private_pages()
    sign_in(context, "alice")
    _shoot(context, pages, suffix)
    context.close()
