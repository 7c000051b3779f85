"""Checking a card before it is uploaded (hf_protocol 3.6)."""

from urllib.parse import parse_qs

from django.http import HttpResponse

from adapter_lib.spec.card import parse_card
from hubsite.core.errors import BadInput
from hubsite.hfapi.bodies import read_body
from hubsite.hfapi.calls import Call
from hubsite.hfapi.responses import json_response
from hubsite.hfapi.schemas.fields import parse_object

_FENCE = "---"
_MAX_FORM_FIELDS = 10


def validate_yaml(call: Call) -> HttpResponse:
    """`POST /api/validate-yaml`: 400 with `errors` for unreadable front matter; all else is a warning."""
    content = _content(call)
    card = parse_card(content)
    unreadable = content.lstrip().startswith(_FENCE) and not card.front
    errors = card.warnings if unreadable else []
    warnings = [] if unreadable else card.warnings
    body = {"errors": _messages(errors), "warnings": _messages(warnings)}
    return json_response(body, status=400 if errors else 200)


def _content(call: Call) -> str:
    """The card's text: JSON, or a form as clients up to 0.36 send it."""
    raw = read_body(call.request)
    if call.request.content_type != "application/x-www-form-urlencoded":
        return parse_object(raw, "The body").text("content", limit=len(raw))
    try:
        form = parse_qs(raw.decode(), keep_blank_values=True, max_num_fields=_MAX_FORM_FIELDS)
    except ValueError:
        raise BadInput("The body is not a form in UTF-8.") from None
    return form.get("content", [""])[0]


def _messages(sentences: list[str]) -> list[dict[str, str]]:
    return [{"message": sentence} for sentence in sentences]
