"""A card is somebody else's text: what a page makes of it must be harmless and readable."""

from html.parser import HTMLParser

import pytest

from hubsite.web.card_text import MAX_CHARACTERS, render

FILES = "/alice/x/resolve/abc/"


class _Tags(HTMLParser):
    """What a browser would see: elements, attributes, links and text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.names: set[str] = set()
        self.attributes: set[str] = set()
        self.links: list[str] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.add(tag)
        self.attributes |= {name for name, _ in attrs}
        self.links += [value or "" for name, value in attrs if name == "href"]

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.mark.parametrize(
    "hostile",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "<svg onload=alert(1)>",
        "<iframe src='https://evil.example'></iframe>",
        "<style>body{display:none}</style>",
        "<a href='javascript:alert(1)'>x</a>",
        "[x](javascript:alert(1))",
        "[x](data:text/html;base64,PHNjcmlwdD4=)",
        "<form action='/upload'><input name=q></form>",
        "<p style='position:fixed' class='note' id='main' onclick='x()'>x</p>",
        "<math><mtext></p><script>alert(1)</script>",
        "![x](https://evil.example/pixel.png)",
        "<base href='https://evil.example'>",
        "<meta http-equiv=refresh content=0>",
    ],
)
def test_nothing_in_it_runs_loads_or_restyles(hostile: str) -> None:
    page = _Tags(render(f"before {hostile}\n\n{hostile}\n\nafter", FILES))
    assert page.names <= {"p", "a", "del", "em"}
    assert page.attributes <= {"href", "rel"}
    assert all(link.startswith(("https://", FILES)) for link in page.links), page.links
    assert "before" in page.text


def test_images_become_links() -> None:
    html = render("![a *curve*](https://example.org/c.png)", FILES)
    assert 'href="https://example.org/c.png"' in html
    assert "Image: a curve" in html
    assert "nofollow" in html


def test_relative_links_lead_to_the_files() -> None:
    assert f'href="{FILES}adapter_config.json"' in render("[c](./adapter_config.json)", FILES)
    assert 'href="#training"' in render("[c](#training)", FILES)
    assert 'href="https://example.org/"' in render("[c](https://example.org/)", FILES)


def test_headings_go_below_those_of_the_page() -> None:
    assert "<h3>One</h3>" in render("# One", FILES)
    assert "<h6>Six</h6>" in render("###### Six", FILES)


def test_markdown_reads_as_written() -> None:
    html = render("| a | b |\n|---|---|\n| 1 | ~~2~~ |\n\n```python\nx < 1\n```", FILES)
    assert "<td>1</td>" in html
    assert "<s>2</s>" in html
    assert "x &lt; 1" in html
    assert '<pre tabindex="0">' in html


def test_a_link_that_is_no_address_is_dropped() -> None:
    assert "href" not in render("[x](http://[::1)", FILES)


def test_an_endless_card_is_cut_and_says_so() -> None:
    html = render("word " * MAX_CHARACTERS, FILES)
    assert len(html) < 2 * MAX_CHARACTERS
    assert "longer than the page shows" in html


def test_deep_nesting_is_no_trouble() -> None:
    assert "end" in render("> " * 5000 + "x\n\nend", FILES)
