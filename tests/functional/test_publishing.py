"""Journeys of an author: an account, a token, an upload that fails, and one that passes."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from hubsite.accounts.models import User
from hubsite.validation.models import Run, Severity
from hubsite.validation.reports import Found
from hubsite.validation.services import runs
from hubsite.validation.steps import StepName
from tests.functional import gallery, validations
from tests.functional.exhibits import ADAPTERS
from tests.functional.signing_in import sign_in
from tests.hubsite import factories

pytestmark = pytest.mark.django_db(transaction=True)


def _files(folder: Path) -> list[Path]:
    for name, content in gallery.files_of(ADAPTERS[0]).items():
        (folder / name).write_bytes(content)
    return sorted(folder.glob("*.*"))


def _upload(tab: Page, name: str, files: list[Path]) -> Run:
    tab.goto("/upload")
    tab.get_by_label("Name").fill(name)
    tab.get_by_label("Files").set_input_files(files)
    tab.get_by_role("button", name="Upload and validate").click()
    expect(tab).to_have_url(re.compile("/runs/"))
    return Run.objects.get(id=tab.url.rpartition("/")[2])


def test_sign_up_make_a_token_and_revoke_it(tab: Page) -> None:
    tab.goto("/tokens")
    expect(tab.get_by_role("heading", level=1)).to_have_text("Sign in")
    tab.get_by_role("main").get_by_role("link", name="Sign up").click()
    tab.get_by_label("Username").fill("carol")
    tab.get_by_label("Password", exact=True).fill(factories.PASSWORD)
    tab.get_by_label("Password (again)").fill(factories.PASSWORD)
    tab.get_by_role("button", name="Sign up").click()
    expect(tab.get_by_role("heading", level=1)).to_have_text("Tokens")
    assert User.objects.get().namespace.name == "carol"
    tab.get_by_label("Name").fill("laptop")
    tab.get_by_role("button", name="Create token").click()
    expect(tab.locator("#secret")).to_have_text(re.compile(r"^ahub_[\w-]{40}$"))
    tab.goto("/tokens")
    expect(tab.locator("#secret")).to_have_count(0)
    tab.get_by_role("button", name="Revoke laptop").click()
    expect(tab.get_by_text("You have none yet.")).to_be_visible()


def test_a_failing_upload_says_why_while_one_watches(
    context: BrowserContext, tab: Page, tmp_path: Path
) -> None:
    sign_in(context, "alice")
    run = _upload(tab, "broken", _files(tmp_path))
    expect(tab.get_by_text("as soon as a worker is free").last).to_be_visible()
    found = Found(
        StepName.TENSORS,
        "tensors.not_finite",
        Severity.ERROR,
        detail={"tensor": "layers.3.attn.q.lora_b", "count": 12},
    )
    validations.fail(run, StepName.TENSORS, found)
    # The page finds out by itself.
    expect(tab.get_by_text("Not published").last).to_be_visible()
    expect(tab.get_by_text("layers.3.attn.q.lora_b has NaN or infinite values (12)").first).to_be_visible()
    expect(tab.get_by_text("lower the learning rate").first).to_be_visible()
    tab.get_by_role("link", name="Upload again").click()
    expect(tab.get_by_label("Name")).to_have_value("broken")


def test_a_good_upload_is_followed_until_it_is_published(
    context: BrowserContext, tab: Page, tmp_path: Path
) -> None:
    sign_in(context, "alice")
    run = _upload(tab, "good", _files(tmp_path))
    claim = validations.start(run, 6)
    expect(tab.get_by_text("6 of 10 steps done").last).to_be_visible()
    tab.locator("#step-6 summary").click()
    expect(tab.get_by_text("matched 24, missing 0")).to_be_visible()
    runs.finish_step(claim, StepName.EFFECT, passed=True, duration_ms=200)
    expect(tab.get_by_text("7 of 10 steps done").last).to_be_visible()
    # What the reader opened stays open when the trail is replaced.
    expect(tab.get_by_text("matched 24, missing 0")).to_be_visible()
    runs.finish(claim, passed=True)
    expect(tab.get_by_text("Published").last).to_be_visible()
    expect(tab.locator("#lines")).to_contain_text("hub:alice/good")


def test_a_refused_upload_shows_the_form_with_its_fault(
    context: BrowserContext, tab: Page, tmp_path: Path
) -> None:
    sign_in(context, "alice")
    tab.goto("/upload")
    tab.get_by_label("Name").fill("two words")
    tab.get_by_label("Files").set_input_files(_files(tmp_path))
    with tab.expect_response("**/upload") as answer:
        tab.get_by_role("button", name="Upload and validate").click()
    assert answer.value.status == 400
    expect(tab.get_by_text("is not a repository name")).to_be_visible()
    expect(tab.get_by_label("Name")).to_have_value("two words")


def test_the_form_says_which_files_are_there(context: BrowserContext, tab: Page, tmp_path: Path) -> None:
    sign_in(context, "alice")
    tab.goto("/upload")
    files = [path for path in _files(tmp_path) if path.name != "README.md"]
    tab.get_by_label("Files").set_input_files(files)
    here = tab.locator(".wanted .here")
    expect(here).to_have_count(2)
    expect(here.first).to_contain_text("adapter_config.json")
    expect(here.last).to_contain_text("kB")
