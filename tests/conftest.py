"""What every test folder shares."""

import pytest
from django.db import connections

# The files that take longest, of which a worker that begins with one last keeps the others waiting.
LONGEST = (
    "functional/test_main_job.py",
    "adapter_lib/test_contract.py",
    "workers/test_real_worker.py",
    "adapter_lib/training/test_trainers.py",
    "adapter_lib/training/test_two_processes.py",
    "hubsite/launch/test_hub_command.py",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Long files first; all else in the order that it had (`--no-loadscope-reorder` keeps it for workers)."""
    places = {name: place for place, name in enumerate(LONGEST)}

    def place(item: pytest.Item) -> int:
        return places.get(item.nodeid.partition("::")[0].removeprefix("tests/"), len(places))

    items.sort(key=place)


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings_parallel_suffix: None) -> None:
    """A live server's threads let go of the database after each request: it can be dropped at the end."""
    connections["default"].settings_dict["CONN_MAX_AGE"] = 0
