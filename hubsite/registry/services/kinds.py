"""What a repository is, told from its files: stock clients know models only."""

from adapter_lib.spec.manifest import CONFIG_FILE
from hubsite.registry.models import CommitState, Repo, RepoKind
from hubsite.registry.services.operations import Tree

MODEL_CONFIG = "config.json"
_WEIGHTS = ("model.safetensors", "model.safetensors.index.json", "pytorch_model.bin")


def settle_kind(repo: Repo, tree: Tree) -> None:
    """Make `repo` a backbone (unsaved) where its root holds a whole model and no adapter was published."""
    if repo.kind != RepoKind.ADAPTER or not _is_model(tree):
        return
    if not repo.commits.filter(state=CommitState.PUBLISHED).exists():
        repo.kind = RepoKind.BACKBONE


def _is_model(tree: Tree) -> bool:
    return MODEL_CONFIG in tree and CONFIG_FILE not in tree and any(name in tree for name in _WEIGHTS)
