"""What every test folder shares."""

import pytest
from django.db import connections


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings_parallel_suffix: None) -> None:
    """A live server's threads let go of the database after each request: it can be dropped at the end."""
    connections["default"].settings_dict["CONN_MAX_AGE"] = 0
