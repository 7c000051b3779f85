"""Files of a hub, moved by huggingface_hub: its cache, resume and offline mode are the users' habit."""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from huggingface_hub import snapshot_download
from huggingface_hub.errors import (
    HfHubHTTPError,
    LocalEntryNotFoundError,
    OfflineModeIsEnabled,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)

from adapter_lib.hub.answers import AdapterFile
from adapter_lib.hub.errors import HubAnswerError, HubError, HubUnreachableError
from adapter_lib.hub.settings import TOKEN_VARIABLE, Hub
from adapter_lib.spec.card import CARD_FILE
from adapter_lib.spec.errors import LoadError
from adapter_lib.spec.manifest import CONFIG_FILE, WEIGHTS_FILE

ADAPTER_FILES = (CONFIG_FILE, WEIGHTS_FILE, CARD_FILE)
# What AutoModel and AutoTokenizer read; never a pickle.
BACKBONE_FILES = ("*.json", "*.txt", "*.model", "model*.safetensors")
# huggingface_hub 1.x stands on httpx, 2.x on httpx2: the base of its own error is the transport's, in both.
TRANSPORT_ERROR: type[Exception] = HfHubHTTPError.__mro__[1]
_CHUNK = 1024**2


class NoSuchRevisionError(HubError):
    """The repository has no such revision."""


def fetch(
    hub: Hub | None, repo_id: str, revision: str | None, patterns: Sequence[str], *, offline: bool = False
) -> Path:
    """The folder with those files of a repository that match `patterns`; `hub` None is the upstream hub.

    Raises HubError with one sentence for whatever is in the way.
    """
    with sentences(hub, repo_id, revision):
        return Path(
            snapshot_download(
                repo_id,
                revision=revision,
                allow_patterns=list(patterns),
                endpoint=hub.endpoint if hub else None,
                cache_dir=hub.cache if hub else None,
                # False: a token for the model hub is not for this one.
                token=(hub.token or False) if hub else None,
                library_name="adapter_lib",
                local_files_only=offline,
            )
        )


@contextmanager
def sentences(hub: Hub | None, repo_id: str, revision: str | None = None) -> Iterator[None]:
    """Turns what huggingface_hub raises inside into HubErrors."""
    where = hub.endpoint if hub else "the upstream hub"
    what = f"{repo_id}@{revision}" if revision else repo_id
    try:
        yield
    except RevisionNotFoundError:
        raise NoSuchRevisionError(f"{repo_id} has no revision {revision!r} at {where}.") from None
    except RepositoryNotFoundError:
        raise HubAnswerError(
            f"There is no {repo_id} at {where}, or your token may not see it.",
            code="repo_not_found",
            status=404,
        ) from None
    except HfHubHTTPError as error:
        raise _refused(error, where) from None
    except (LocalEntryNotFoundError, OfflineModeIsEnabled):
        raise HubUnreachableError(
            f"{what} is not complete on this machine, and {where} cannot be reached: try again when it can."
        ) from None
    except (TRANSPORT_ERROR, OSError, ValueError) as error:
        # A ValueError is an answer that cannot be read, or a card that the hub refuses.
        raise HubError(f"{what} could not be transferred ({where}): {str(error).strip()}") from error


def _refused(error: HfHubHTTPError, where: str) -> HubAnswerError:
    status = error.response.status_code
    message = (error.server_message or f"{where} answered with HTTP status {status}").strip()
    message = message if message.endswith((".", "!", "?")) else f"{message}."
    if status in (401, 403):
        message += f" A token with the right scope is given as token= or in {TOKEN_VARIABLE}."
    return HubAnswerError(message, code="http_error", status=status)


def verify(folder: Path, files: Iterable[AdapterFile]) -> None:
    """Compare the files in `folder` with what the hub says of them.

    Raises LoadError for a missing file, and for one with other bytes, which is removed from the cache.
    """
    for file in files:
        path = folder / file.path
        if not path.is_file():
            raise LoadError(f"{file.path} did not arrive in {folder}: load it once more.")
        if sha256_of(path) != file.sha256:
            path.resolve().unlink()
            path.unlink(missing_ok=True)
            raise LoadError(
                f"{file.path} is refused: its bytes are not those that the hub measured "
                f"(SHA-256 {file.sha256[:12]}…). It was removed from the cache; load it once more."
            )


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file's bytes, in lower-case hex."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while chunk := stream.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()
