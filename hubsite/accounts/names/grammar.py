"""How the two halves of `namespace/name` may look (hf_protocol section 1, Ids)."""

import re

from hubsite.core.errors import BadInput

NAMESPACE_LENGTH = 40
# Of `namespace/name` as a whole.
ID_LENGTH = 96
_ALLOWED = re.compile(r"[A-Za-z0-9._-]+")


def check_part(text: str, what: str) -> None:
    """Raise BadInput unless `text` may be one half of an id; `what` names it in the sentence, e.g. "Namespace"."""
    problem = _problem(text)
    if problem:
        raise BadInput(f"{what} {text[:ID_LENGTH]!r} {problem}.")


def check_id(namespace: str, name: str) -> None:
    """Raise BadInput unless `namespace/name` is an id that stock clients can send."""
    check_part(namespace, "Namespace")
    check_part(name, "Repository name")
    if len(namespace) + 1 + len(name) > ID_LENGTH:
        raise BadInput(
            f"{namespace}/{name[:ID_LENGTH]} is longer than {ID_LENGTH} characters; choose a shorter name."
        )


def _problem(text: str) -> str | None:
    if not text:
        return "is empty; write a name"
    if not _ALLOWED.fullmatch(text):
        return "has characters other than letters, digits, '.', '_' and '-'; leave them out"
    if "--" in text or ".." in text:
        return "has '--' or '..'; write one"
    if text[0] in "-." or text[-1] in "-.":
        return "starts or ends with '-' or '.'; leave it out"
    if text.lower().endswith(".git"):
        return "ends with '.git'; leave it out"
    return None
