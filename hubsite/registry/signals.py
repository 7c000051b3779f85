"""News of the registry. All are sent inside the transaction: receivers write rows, tasks leave on commit."""

from django.dispatch import Signal

# commit: a new commit of an adapter, in state `received`.
revision_created = Signal()
# commit: it has just become `published`.
commit_published = Signal()
# repo: something that others show or index has changed; also sent before a deletion, its rows still there.
repo_changed = Signal()
