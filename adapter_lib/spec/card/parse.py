"""Reading a card. A card is prose first: what is wrong with it becomes a warning, never an error."""

from dataclasses import dataclass, field
from typing import Any

from adapter_lib.spec.card import front_fields
from adapter_lib.spec.card.front_fields import Claim, Warn
from adapter_lib.spec.card.front_yaml import FrontError, load_front
from adapter_lib.spec.card.summary import summarise

__all__ = ["CardText", "Claim", "parse_card"]

MAX_LENGTH = 500_000
_FENCE = "---"


@dataclass(frozen=True)
class CardText:
    """A parsed card: the front matter as it stands, the Markdown body, and what is known for certain.

    `license` and `languages` (BCP-47) are lower case, `task` is the slug from `adapter_task`; whatever was
    absent or unusable is empty. `summary` is the first plain paragraph of the body, at most 300 characters.
    `warnings` are sentences for the card's author.
    """

    front: dict[str, Any]
    body: str
    warnings: list[str] = field(default_factory=list)
    license: str = ""
    languages: tuple[str, ...] = ()
    task: str = ""
    datasets: tuple[str, ...] = ()
    base_model: str = ""
    tags: tuple[str, ...] = ()
    summary: str = ""
    claims: tuple[Claim, ...] = ()


def parse_card(readme: str | bytes) -> CardText:
    """Parse the text of a README.md. Never raises: see `warnings`."""
    warnings: list[str] = []
    text = _clean(readme, warnings.append)
    front_text, body = _split(text, warnings.append)
    front = _front(front_text, warnings.append)
    return CardText(
        front=front,
        body=body,
        warnings=warnings,
        license=front_fields.license_id(front, warnings.append),
        languages=front_fields.languages(front, warnings.append),
        task=front_fields.task(front, warnings.append),
        datasets=front_fields.datasets(front, warnings.append),
        base_model=front_fields.base_model(front, warnings.append),
        tags=front_fields.tags(front, warnings.append),
        summary=summarise(body),
        claims=front_fields.claims(front, warnings.append),
    )


def _clean(readme: str | bytes, warn: Warn) -> str:
    raw = readme if isinstance(readme, bytes) else readme.encode("utf-8", "replace")
    if len(raw) > MAX_LENGTH:
        warn(f"The card has more than {MAX_LENGTH} bytes; the rest is not shown.")
        raw = raw[:MAX_LENGTH]
    text = raw.decode("utf-8", "replace")
    if "�" in text or "\x00" in text:
        warn("The card is not clean UTF-8 text; broken characters are shown as �.")
    return text.replace("\x00", "�").removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")


def _split(text: str, warn: Warn) -> tuple[str, str]:
    """Front matter without its fences, and the body."""
    lines = text.lstrip("\n").split("\n")
    if lines[0].rstrip() != _FENCE:
        if text.strip():
            warn("The card has no front matter: start it with `---`, `key: value` lines and `---` again.")
        return "", text
    for number, line in enumerate(lines[1:], start=1):
        if line.rstrip() == _FENCE:
            return "\n".join(lines[1:number]), "\n".join(lines[number + 1 :]).lstrip("\n")
    warn("The card's front matter does not end: a second `---` line is missing.")
    return "", text


def _front(text: str, warn: Warn) -> dict[str, Any]:
    try:
        return load_front(text)
    except FrontError as error:
        warn(f"The card's front matter could not be read: {error}.")
        return {}
