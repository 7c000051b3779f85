from django.db import models


class OutboxEntry(models.Model):
    """A repo whose search document is out of date; written in the transaction that changed it."""

    repo_id = models.BigIntegerField()
    created_at = models.DateTimeField(auto_now_add=True)
