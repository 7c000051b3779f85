"""Journeys of a reader: from a question to two lines of code and a reason to trust them."""

import re

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.functional import gallery

pytestmark = pytest.mark.django_db(transaction=True)


def test_find_by_words_and_facet_then_read_the_evidence(tab: Page) -> None:
    gallery.fill()
    tab.goto("/")
    tab.keyboard.press("/")
    expect(tab.get_by_label("Search adapters")).to_be_focused()
    tab.keyboard.type("reviews")
    tab.keyboard.press("Enter")
    expect(tab.get_by_role("heading", level=1)).to_contain_text("2 adapters for")
    tab.get_by_role("link", name=re.compile("Parallel bottleneck")).click()
    expect(tab.get_by_role("heading", level=1)).to_contain_text("1 adapter for")
    expect(tab).to_have_url(re.compile(r"\?q=reviews&method=par_bn$"))
    tab.go_back()
    expect(tab.get_by_role("heading", level=1)).to_contain_text("2 adapters for")
    tab.get_by_role("link", name="alice/reviews-parallel").click()
    expect(tab.get_by_role("heading", level=1)).to_have_text("alice/reviews-parallel")
    expect(tab.get_by_text("Beats the linear probe on the bare backbone by 5.3 points")).to_be_visible()
    tab.get_by_text("The numbers").click()
    expect(tab.get_by_role("row", name="Linear probe on the bare backbone 84.3")).to_be_visible()


def test_a_step_of_the_trail_opens_its_log(tab: Page) -> None:
    gallery.fill()
    tab.goto("/demo/sentiment-lora")
    log = tab.get_by_text("matched 24, missing 0")
    expect(log).to_be_hidden()
    tab.get_by_role("link", name="Load on the backbone: passed").click()
    expect(log).to_be_visible()


def test_the_code_is_copied(context: BrowserContext, tab: Page) -> None:
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    gallery.fill()
    tab.goto("/demo/sentiment-lora")
    tab.get_by_role("button", name="Copy").first.click()
    expect(tab.get_by_role("button", name="Copied")).to_be_visible()
    copied = tab.evaluate("navigator.clipboard.readText()")
    assert copied == tab.locator("#lines").text_content()
    assert copied.startswith('import adapter_lib\nmodel = adapter_lib.load("hub:demo/sentiment-lora"')


def test_the_theme_is_chosen_and_kept(tab: Page) -> None:
    tab.goto("/")
    ground = "getComputedStyle(document.body).backgroundColor"
    light = tab.evaluate(ground)
    tab.get_by_role("button", name="Switch between light and dark").click()
    dark = tab.evaluate(ground)
    assert light != dark
    tab.reload()
    assert tab.evaluate(ground) == dark


def test_everything_reads_and_searches_without_javascript(plain_context: BrowserContext) -> None:
    gallery.fill()
    tab = plain_context.new_page()
    tab.goto("/")
    tab.get_by_label("Search adapters").fill("reviews")
    tab.get_by_label("Search adapters").press("Enter")
    expect(tab.get_by_role("heading", level=1)).to_contain_text("2 adapters for")
    tab.get_by_role("link", name=re.compile("^Double bottleneck")).click()
    expect(tab.get_by_role("heading", level=1)).to_contain_text("1 adapter for")
    tab.get_by_role("link", name="alice/reviews-houlsby").click()
    expect(tab.get_by_text("Trained for ten epochs")).to_be_visible()
    tab.get_by_text("A whole example").click()
    expect(tab.locator("#snippet")).to_be_visible()
    expect(tab.get_by_role("button", name="Copy").first).to_be_hidden()


def test_focus_goes_in_reading_order_and_can_be_seen(tab: Page) -> None:
    gallery.fill()
    tab.goto("/")
    seen = []
    for _ in range(12):
        tab.keyboard.press("Tab")
        focused = tab.evaluate(
            "(() => { const e = document.activeElement;"
            " const name = e.innerText || e.getAttribute('aria-label') || e.id;"
            " return [name, getComputedStyle(e).outlineStyle, e.getBoundingClientRect().width > 0]; })()"
        )
        seen.append(focused)
    names = [name.strip().split("\n")[0] for name, _, _ in seen]
    assert names[:3] == ["Skip to the content", "adapter hub", "search"]
    assert names.index("Sign in") < names.index("Sentiment analysis")
    assert [name for name, outline, visible in seen if outline == "none" or not visible] == []


def test_on_a_phone_the_facets_are_a_sheet(context: BrowserContext, tab: Page) -> None:
    gallery.fill()
    tab.set_viewport_size({"width": 390, "height": 800})
    tab.goto("/")
    option = tab.get_by_role("link", name=re.compile("Formality classification"))
    expect(option).to_be_hidden()
    tab.get_by_text("Filter", exact=True).click()
    option.click()
    expect(tab.get_by_role("heading", level=1)).to_contain_text("1 adapter")
    expect(tab.get_by_text("Filter (1)")).to_be_visible()
