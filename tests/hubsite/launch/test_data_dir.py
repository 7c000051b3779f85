"""`--data-dir` becomes HUB_DATA_DIR before settings are read."""

import pytest

from hubsite.launch.data_dir import take_data_dir


@pytest.mark.parametrize(
    ("given", "left", "folder"),
    [
        (["hub", "--data-dir", "/a", "--no-demo"], ["hub", "--no-demo"], "/a"),
        (["hub", "--data-dir=/a b"], ["hub"], "/a b"),
        (["issue_token", "demo", "--data-dir", "x", "--data-dir", "y"], ["issue_token", "demo"], "y"),
        (["hub", "--port", "80"], ["hub", "--port", "80"], None),
        (["hub", "--data-dir"], ["hub", "--data-dir"], None),
        (["hub", "--data-dir="], ["hub", "--data-dir="], None),
        (["hub", "--data-directory", "/a"], ["hub", "--data-directory", "/a"], None),
    ],
)
def test_moves_the_folder_into_the_environment(given: list[str], left: list[str], folder: str | None) -> None:
    environment: dict[str, str] = {}
    take_data_dir(given, environment)
    assert given == left
    assert environment.get("HUB_DATA_DIR") == folder
