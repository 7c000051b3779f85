"""The first plain paragraph of a Markdown text, as one line."""

import re

MAX_LENGTH = 300
# What starts a block that is not a paragraph: heading, list, quote, table, rule, HTML, image or badge.
_NOT_PROSE = re.compile(r"\s*(#|[-*+]\s|\d+[.)]\s|>|\||<|!\[|\[!\[|(?:[-*_=]\s*){3,}$|\[[^\]]*\]:)|\t| {4}")
_UNDERLINE = re.compile(r"\s{0,3}(=+|-+)\s*$")
_CODE_FENCE = re.compile(r"\s{0,3}(```+|~~~+)")
_LINK = re.compile(r"!?\[([^\[\]]*)\]\([^()\s]*\)")
_MARKS = re.compile(r"\*\*|__|`|(?<!\w)[*_]|[*_](?!\w)")


def summarise(body: str) -> str:
    """The first paragraph of prose in `body` without Markdown marks, at most 300 characters; "" if none."""
    for paragraph in _paragraphs(body):
        text = " ".join(_MARKS.sub("", _LINK.sub(r"\1", paragraph)).split())
        if text:
            return _cut("".join(char for char in text if char.isprintable()))
    return ""


def _paragraphs(body: str) -> list[str]:
    found: list[str] = []
    current: list[str] = []
    fence = ""
    # The summary stands near the start; the rest of a long card is not looked at.
    for line in body[:50_000].split("\n"):
        opening = _CODE_FENCE.match(line)
        if opening and (not fence or opening[1].startswith(fence)):
            fence = "" if fence else opening[1]
        elif not fence and line.strip() and not _NOT_PROSE.match(line):
            current.append(line[:2000])
            continue
        if current and not _UNDERLINE.match(line):  # an underlined line is a heading
            found.append(" ".join(current))
        current = []
    return [*found, " ".join(current)] if current else found


def _cut(text: str) -> str:
    if len(text) <= MAX_LENGTH:
        return text
    head = text[: MAX_LENGTH - 1]
    stop = max(head.rfind(". "), head.rfind("! "), head.rfind("? "))
    if stop > MAX_LENGTH // 2:
        return head[: stop + 1]
    return head[: head.rfind(" ") if " " in head else len(head)] + "…"
