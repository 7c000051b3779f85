"""Things that tests need, made through the real services. Named cast: alice owns, bob is a stranger."""

import io
import json
import math
from collections.abc import Mapping

from adapter_lib.spec.card import CARD_FILE
from adapter_lib.spec.configs import LoRAConfig, MethodConfig
from adapter_lib.spec.manifest import CONFIG_FILE, WEIGHTS_FILE, BackboneRef, Manifest
from hubsite.accounts.actors import Actor
from hubsite.accounts.models import Scope, User
from hubsite.accounts.services.tokens import issue_token
from hubsite.accounts.services.users import create_user
from hubsite.registry.models import Blob, Commit, Repo, RepoKind
from hubsite.registry.services import blobs, commits, repos, states

PASSWORD = "correct horse battery staple"


def make_user(name: str = "alice") -> User:
    """A user with the namespace `name` and PASSWORD; the same one if there is one already."""
    present = User.objects.filter(username=name).first()
    return present or create_user(name, f"{name}@example.org", PASSWORD)


def actor_of(user: User) -> Actor:
    """The user as if signed in on the pages."""
    return Actor.of_user(user)


def make_token(user: User, scope: Scope | str = Scope.WRITE) -> str:
    """The secret of a new token."""
    return issue_token(user, name="tests", scope=Scope(scope)).secret


def make_repo(
    user: User, name: str = "example", kind: RepoKind = RepoKind.ADAPTER, *, private: bool = False
) -> Repo:
    """An empty repository in the user's namespace."""
    return repos.create_repo(actor_of(user), namespace=None, name=name, kind=kind, private=private)


def make_blob(content: bytes) -> Blob:
    """Stored bytes with their row."""
    return blobs.store_blob(io.BytesIO(content), size=len(content))


def make_commit(
    repo: Repo,
    files: Mapping[str, bytes],
    *,
    lfs: frozenset[str] | set[str] = frozenset(),
    title: str = "A change",
    branch: str = "main",
) -> Commit:
    """A commit by the repository's owner that adds `files`; the paths in `lfs` as LFS objects."""
    operations = [commits.AddFile(path, make_blob(content), path in lfs) for path, content in files.items()]
    return commits.create_commit(
        actor_of(repo.namespace.owner), repo, branch=branch, operations=operations, title=title
    )


def publish(commit: Commit) -> Commit:
    """The commit as if its validation had passed."""
    return states.publish(commit)


def adapter_files(
    *,
    front: str = "license: apache-2.0\nlanguage: en\nadapter_task: sentiment\ntags: [adapter_lib, lora]",
    body: str = "# Example\n\nTells praise from blame.\n",
    method: MethodConfig | None = None,
    backbone: str = "sentence-transformers/all-MiniLM-L6-v2",
    hidden_size: int = 384,
    num_layers: int = 6,
    tensors: Mapping[str, tuple[int, ...]] | None = None,
) -> dict[str, bytes]:
    """The three files of a native adapter whose tensors (name: shape) are zeros: it parses, then fails."""
    config = LoRAConfig() if method is None else method
    manifest = Manifest(
        method=config.method,
        config=config,
        family="bert",
        role_table="0" * 16,
        backbone=BackboneRef(backbone, None, "0" * 16, "bert", hidden_size, num_layers),
        head=None,
        library_version="0.1.0",
    )
    shapes = {"layers.0.attn.q.lora_a": (8, hidden_size)} if tensors is None else tensors
    return {
        CARD_FILE: f"---\n{front}\n---\n{body}".encode(),
        CONFIG_FILE: manifest.to_json().encode(),
        WEIGHTS_FILE: safetensors_bytes(shapes),
    }


def safetensors_bytes(shapes: Mapping[str, tuple[int, ...]]) -> bytes:
    """A safetensors file of float32 zeros: 8 bytes of header length, the header, the data."""
    entries, end = {}, 0
    for name, shape in shapes.items():
        begin, end = end, end + 4 * math.prod(shape)
        entries[name] = {"dtype": "F32", "shape": shape, "data_offsets": [begin, end]}
    header = json.dumps(entries).encode()
    return len(header).to_bytes(8, "little") + header + bytes(end)
