from hubsite.registry.models.cards import Card
from hubsite.registry.models.content import Blob, Commit, CommitState, Ref, RefKind, TreeEntry
from hubsite.registry.models.repos import Repo, RepoKind
from hubsite.registry.models.vocabulary import Backbone, Language, Task

__all__ = [
    "Backbone",
    "Blob",
    "Card",
    "Commit",
    "CommitState",
    "Language",
    "Ref",
    "RefKind",
    "Repo",
    "RepoKind",
    "Task",
    "TreeEntry",
]
