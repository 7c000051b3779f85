"""`manage.py issue_token USER --scope write`: print a new API token and nothing else, for scripts."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from hubsite.accounts.models import Scope, User
from hubsite.accounts.services.tokens import issue_token
from hubsite.accounts.services.users import create_user
from hubsite.core.errors import HubError


class Command(BaseCommand):
    help = "Print a new API token of a user. The hub keeps only its hash: it cannot be printed again."

    def add_arguments(self, parser: CommandParser) -> None:
        """USER, --scope, --create, --name."""
        parser.add_argument("user", metavar="USER")
        parser.add_argument("--scope", choices=Scope.values, required=True)
        parser.add_argument(
            "--create", action="store_true", help="make the user, without a password, if missing"
        )
        parser.add_argument("--name", default="command line", help="what its owner sees it as")

    def handle(self, *args: Any, **options: Any) -> str:
        """The secret; Django prints what is returned."""
        try:
            user = _user(options["user"], create=options["create"])
            return issue_token(user, name=options["name"], scope=Scope(options["scope"])).secret
        except HubError as error:
            raise CommandError(error.message) from None


def _user(username: str, *, create: bool) -> User:
    user = User.objects.filter(username__iexact=username).first()
    if user is not None:
        return user
    if not create:
        raise CommandError(f"There is no user {username!r}; check the name or add --create.")
    return create_user(username)
