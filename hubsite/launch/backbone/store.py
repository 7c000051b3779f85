"""A backbone becomes one of the hub's own repositories, so that everything else takes it from there."""

import io
import json
from pathlib import Path

from hubsite.accounts.actors import Actor
from hubsite.accounts.models import Namespace, User
from hubsite.accounts.services.users import create_user
from hubsite.launch.backbone.recipes import Recipe
from hubsite.registry.models import Blob, Repo, RepoKind
from hubsite.registry.selectors import published
from hubsite.registry.services.blobs import store_blob
from hubsite.registry.services.commits import AddFile, create_commit
from hubsite.registry.services.repos import create_repo

_WEIGHTS = ".safetensors"


def stored_revision(name: str) -> str | None:
    """The commit under which the hub holds the model `name`, if it does."""
    repo = _repo(name)
    commit = published.latest(repo) if repo is not None else None
    return commit.sha if commit is not None else None


def store(recipe: Recipe, folder: Path) -> str:
    """Commit the recipe's files in `folder` to the repository of its name; returns the commit's sha.

    The namespace belongs to a user of the same name who has no password: nobody can sign in as them.
    """
    actor = Actor.of_user(_owner(recipe.name.partition("/")[0]))
    repo = _repo(recipe.name) or create_repo(
        actor, namespace=_halves(recipe.name)[0], name=_halves(recipe.name)[1], kind=RepoKind.BACKBONE
    )
    written = {"README.md": _card(recipe), "tokenizer_config.json": _tokenizer_config(recipe)}
    operations = [AddFile(name, _blob(text.encode()), False) for name, text in written.items()]
    for name in recipe.files:
        with (folder / name).open("rb") as stream:
            blob = store_blob(stream, size=(folder / name).stat().st_size, sha256=recipe.files[name])
        operations.append(AddFile(name, blob, name.endswith(_WEIGHTS)))
    return create_commit(actor, repo, operations=operations, title=f"Import {recipe.name}").sha


def _halves(name: str) -> tuple[str, str]:
    namespace, _, rest = name.partition("/")
    return namespace, rest


def _repo(name: str) -> Repo | None:
    namespace, rest = (half.casefold() for half in _halves(name))
    return Repo.objects.filter(namespace__key=namespace, key=rest, is_dataset=False).first()


def _owner(namespace: str) -> User:
    present = Namespace.objects.filter(key=namespace.casefold()).select_related("owner").first()
    return present.owner if present is not None else create_user(namespace)


def _blob(data: bytes) -> Blob:
    return store_blob(io.BytesIO(data), size=len(data))


def _tokenizer_config(recipe: Recipe) -> str:
    """Without a longest length, truncation would let through more tokens than the model has positions."""
    values = {"model_max_length": recipe.max_tokens, "tokenizer_class": recipe.tokenizer_class}
    return json.dumps(values, indent=2) + "\n"


def _card(recipe: Recipe) -> str:
    rows = "\n".join(f"| `{name}` | `{sha256}` |" for name, sha256 in recipe.files.items())
    return (
        f"---\nlicense: {recipe.license}\nlanguage: en\nlibrary_name: transformers\n---\n# {recipe.name}\n\n"
        f"{recipe.summary} These are the upstream model's own files, byte for byte; they were checked\n"
        f"against these hashes when they came in:\n\n| file | sha256 |\n|---|---|\n{rows}\n"
    )
