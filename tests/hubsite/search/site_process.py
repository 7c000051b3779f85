"""A site in a process of its own, on its own data folder, that does what its input says.

Run as `python -m tests.hubsite.search.site_process`. Every line in is `publish NAME`, `find` or `waiting`,
every line out the answer as JSON.
"""

import json
import os
import sys
from typing import Any

import django


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "hubsite.settings")
    django.setup()
    # Models and services can be imported only now.
    from django.core.management import call_command

    from hubsite.search.models import OutboxEntry
    from hubsite.search.queries import SearchRequest, search
    from tests.hubsite.factories import make_user
    from tests.hubsite.search.made import make_adapter, names

    def answer(command: str, *arguments: str) -> Any:
        if command == "publish":
            return make_adapter(make_user("alice"), *arguments).sha
        if command == "waiting":
            return OutboxEntry.objects.count()
        return sorted(names(search(SearchRequest(size=100)).hits))

    call_command("migrate", verbosity=0)
    print(json.dumps("ready"), flush=True)
    for line in sys.stdin:
        print(json.dumps(answer(*line.split())), flush=True)


if __name__ == "__main__":
    main()
