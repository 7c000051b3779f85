"""A card's Markdown as safe HTML: no script, no style, no image fetched from elsewhere."""

from collections.abc import Callable
from functools import lru_cache
from urllib.parse import quote, urlsplit

import nh3
from django.utils.safestring import SafeString, mark_safe
from markdown_it import MarkdownIt
from markdown_it.token import Token

# Rendering is quick but not free; a longer card is cut here and says so.
MAX_CHARACTERS = 100_000

_TAGS = {
    *(
        "a",
        "blockquote",
        "br",
        "code",
        "del",
        "em",
        "h3",
        "h4",
        "h5",
        "h6",
        "hr",
        "li",
        "ol",
        "p",
        "pre",
        "s",
    ),
    *("strong", "sub", "sup", "table", "tbody", "td", "th", "thead", "tr", "ul"),
}
_ATTRIBUTES = {"a": {"href", "title"}, "ol": {"start"}}
_SCHEMES = {"http", "https", "mailto"}
# The page has its own h1 and h2.
_HEADING_SHIFT = 2


@lru_cache(maxsize=256)
def render(body: str, files_url: str) -> SafeString:
    """`body` as HTML; relative links lead to the files under `files_url`, which ends in a slash."""
    cut = body[:MAX_CHARACTERS]
    if len(body) > MAX_CHARACTERS:
        cut += "\n\n*This card is longer than the page shows; the rest is in README.md.*\n"
    tokens = _parser().parse(cut)
    _tame(tokens)
    html = _parser().renderer.render(tokens, _parser().options, {})
    clean = nh3.clean(
        html,
        tags=_TAGS,
        attributes=_ATTRIBUTES,
        url_schemes=_SCHEMES,
        attribute_filter=_links_to(files_url),
        # Code that is wider than the page can be scrolled by keyboard.
        set_tag_attribute_values={"pre": {"tabindex": "0"}},
        link_rel="nofollow noopener ugc",
    )
    # Safe: nh3 let through only the tags, attributes and schemes named above.
    return mark_safe(clean)  # noqa: S308


@lru_cache(maxsize=1)
def _parser() -> MarkdownIt:
    return MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])


def _tame(tokens: list[Token]) -> None:
    """Moves headings below the page's own and turns images into links to them."""
    for token in tokens:
        if token.type in ("heading_open", "heading_close"):
            token.tag = f"h{min(6, int(token.tag[1]) + _HEADING_SHIFT)}"
        if token.children:
            token.children = [new for child in token.children for new in _without_image(child)]


def _without_image(token: Token) -> list[Token]:
    if token.type != "image":
        return [token]
    alt = "".join(child.content for child in token.children or []) or "image"
    opening = Token("link_open", "a", 1, attrs={"href": token.attrs.get("src", "")})
    return [opening, Token("text", "", 0, content=f"Image: {alt}"), Token("link_close", "a", -1)]


def _links_to(files_url: str) -> Callable[[str, str, str], str | None]:
    def keep(tag: str, attribute: str, value: str) -> str | None:
        if attribute != "href":
            return value
        parts = urlsplit(value) if _parses(value) else None
        if parts is None:
            return None
        if parts.scheme or parts.netloc or value.startswith(("#", "/")):
            return value
        return files_url + quote(value.removeprefix("./"), safe="/%#?=&")

    return keep


def _parses(value: str) -> bool:
    try:
        urlsplit(value)
    except ValueError:
        return False
    return True
