"""`adapter-lib login` and `logout`: a token for a hub, kept on this machine."""

import sys
from dataclasses import replace
from typing import Annotated

import typer

from adapter_lib.cli.answer import Answer
from adapter_lib.cli.options import Endpoint
from adapter_lib.hub.errors import HubError
from adapter_lib.hub.identity import identify
from adapter_lib.hub.settings import Hub, hub_settings
from adapter_lib.hub.tokens import forget_token, keep_token


def login(
    token: Annotated[
        str | None, typer.Option("--token", help="The token; else you are asked, or it is read from stdin.")
    ] = None,
    endpoint: Endpoint = None,
) -> Answer:
    """Keep a token for a hub, after asking the hub whose it is. Later commands take it from there."""
    hub = hub_settings(endpoint, token)
    hub = replace(hub, token=token or _asked(hub))
    found = identify(hub)
    path = keep_token(hub.cache, str(hub.token))
    document = {"endpoint": hub.endpoint, "user": found.name, "scope": found.scope, "file": str(path)}
    return Answer(document, [f"{found.name} at {hub.endpoint}, scope {found.scope}; kept in {path}"])


def logout(endpoint: Endpoint = None) -> Answer:
    """Forget the token that `login` kept for a hub."""
    hub = hub_settings(endpoint)
    was_there = forget_token(hub.cache)
    line = (
        f"The token for {hub.endpoint} is forgotten." if was_there else f"There was none for {hub.endpoint}."
    )
    return Answer({"endpoint": hub.endpoint, "forgotten": was_there}, [line])


def _asked(hub: Hub) -> str:
    """From the terminal, unseen, or else the first line of what is piped in."""
    if sys.stdin.isatty():
        question = f"Token for {hub.endpoint} (make one at {hub.endpoint}/tokens)"
        found = str(typer.prompt(question, hide_input=True, err=True)).strip()
    else:
        found = sys.stdin.readline().strip()
    if not found:
        raise HubError(f"No token was given: make one at {hub.endpoint}/tokens.")
    return found
