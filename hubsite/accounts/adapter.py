"""Sign-up through django-allauth, under the hub's rules for names."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest

from hubsite.accounts.models import User
from hubsite.accounts.names.rules import check_new_namespace
from hubsite.accounts.names.upstream import check_not_a_publisher
from hubsite.accounts.services.users import claim_namespace
from hubsite.core.errors import HubError


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # allauth has no types
    """The user name on the form is also the name of the namespace."""

    def clean_username(self, username: str, shallow: bool = False) -> str:
        """Refuse in the form, with the rule's own sentence, what `create_user` would refuse, and more."""
        try:
            check_new_namespace(username)
            check_not_a_publisher(username)
        except HubError as error:
            raise ValidationError(error.message) from None
        cleaned: str = super().clean_username(username, shallow=shallow)
        return cleaned

    def save_user(self, request: HttpRequest, user: User, form: Any, commit: bool = True) -> User:
        """Save the user together with the namespace, or neither."""
        with transaction.atomic():
            saved: User = super().save_user(request, user, form, commit=commit)
            if commit:
                claim_namespace(saved)
        return saved
