"""Headers of a file's answer (hf_protocol 3.5). Uploaded bytes must never run as a page of this site."""

import re
from pathlib import PurePosixPath
from urllib.parse import quote

from django.http import HttpResponseBase

from hubsite.hfapi.responses import set_commit_headers
from hubsite.registry.models import Commit
from hubsite.registry.selectors.trees import FileItem

_TEXT_NAME = re.compile(
    r"\.(cfg|csv|html?|ini|json|jsonl|log|md|py|sh|svg|toml|tsv|txt|xml|ya?ml)\Z", re.IGNORECASE
)
_IMAGE_TYPES = {".gif": "image/gif", ".jpeg": "image/jpeg", ".jpg": "image/jpeg", ".png": "image/png"}


def etag_of(file: FileItem) -> str:
    """The strong entity tag, quoted; the same for the same bytes of the same kind."""
    return f'"{file.etag}"'


def set_file_headers(response: HttpResponseBase, commit: Commit, file: FileItem) -> None:
    """Everything but the length and the range. No Xet headers: with them clients would leave HTTP."""
    set_commit_headers(response, commit)
    response["ETag"] = etag_of(file)
    response["Accept-Ranges"] = "bytes"
    response["Content-Type"] = content_type(file.path)
    response["Content-Disposition"] = content_disposition(file.path)
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response["X-Content-Type-Options"] = "nosniff"
    response["Cache-Control"] = "private, no-cache" if commit.repo.private else "no-cache"
    if file.lfs:
        response["X-Linked-ETag"] = etag_of(file)
        response["X-Linked-Size"] = str(file.size)


def content_type(path: str) -> str:
    """Text as plain text, pictures as themselves, the rest as bytes."""
    if _TEXT_NAME.search(path):
        return "text/plain; charset=utf-8"
    return _IMAGE_TYPES.get(PurePosixPath(path).suffix.lower(), "application/octet-stream")


def content_disposition(path: str) -> str:
    """The file's name in both spellings; what a quoted ASCII string cannot hold becomes `_` in the second."""
    name = PurePosixPath(path).name
    plain = "".join(
        char if char.isascii() and char.isprintable() and char not in '"\\;' else "_" for char in name
    )
    return f"inline; filename*=UTF-8''{quote(name, safe='')}; filename=\"{plain}\";"
