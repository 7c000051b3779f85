"""The lines of code on an adapter's page."""

from functools import lru_cache

from adapter_lib.spec.errors import AdapterLibError
from adapter_lib.spec.manifest import CONFIG_FILE, parse_manifest
from adapter_lib.spec.snippet import DEFAULT_ENDPOINT, literal, snippet
from hubsite.core.errors import StorageError
from hubsite.registry.selectors.trees import FileItem
from hubsite.storage.current import blob_store

# A configuration is a few kilobytes; what is longer is not read for a page.
_MAX_CONFIG = 1_000_000
_TEXTS = {
    "sentiment": ("A delight from start to finish.", "I want my two hours back."),
}
_USUAL_TEXTS = ("The first text to label.", "And a second one.")


def two_lines(adapter_id: str, endpoint: str) -> str:
    """What anybody needs first: the model, ready to use."""
    at = "" if endpoint == DEFAULT_ENDPOINT else f", endpoint={literal(endpoint)}"
    return f"import adapter_lib\nmodel = adapter_lib.load({literal(f'hub:{adapter_id}')}{at})"


def code_for(adapter_id: str, task: str, files: list[FileItem], endpoint: str) -> str:
    """Code that loads `adapter_id` from the hub at `endpoint` and labels two texts of its task."""
    config = next((file for file in files if file.path == CONFIG_FILE and file.size <= _MAX_CONFIG), None)
    labels = _labels(config.sha256) if config else ()
    return snippet(adapter_id, _TEXTS.get(task, _USUAL_TEXTS), labels, endpoint=endpoint)


def _labels(sha256: str) -> tuple[str, ...]:
    try:
        return _labels_in(sha256)
    except (AdapterLibError, StorageError):
        return ()


@lru_cache(maxsize=1024)
def _labels_in(sha256: str) -> tuple[str, ...]:
    """The labels of the head in a stored configuration, whose bytes never change."""
    with blob_store().open(sha256) as stream:
        head = parse_manifest(stream.read()).head
    return head.labels if head else ()
