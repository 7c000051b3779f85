"""Addresses and visibilities in the spellings of all client versions (hf_protocol section 4)."""

from typing import Any

import pytest

from hubsite.core.errors import BadInput
from hubsite.hfapi.schemas.fields import Fields
from hubsite.hfapi.schemas.repositories import RepoAddress, read_private
from hubsite.registry.models import RepoKind


def fields(**values: Any) -> Fields:
    return Fields(values, "The body")


def test_addresses() -> None:
    assert RepoAddress.read(fields(name="x")) == RepoAddress(None, "x", RepoKind.ADAPTER)
    assert RepoAddress.read(fields(name="x", organization=None, type=None)).namespace is None
    assert RepoAddress.read(fields(name="alice/x")) == RepoAddress("alice", "x", RepoKind.ADAPTER)
    dataset = RepoAddress.read(fields(name="x", organization="alice", type="dataset"))
    assert (dataset, dataset.route) == (RepoAddress("alice", "x", RepoKind.DATASET), "datasets")


def test_spaces_are_not_offered() -> None:
    with pytest.raises(BadInput, match="model and dataset, not 'space'"):
        RepoAddress.read(fields(name="x", type="space"))


@pytest.mark.parametrize(
    ("values", "private"),
    [
        ({}, None),
        ({"private": None}, None),
        ({"private": True}, True),
        ({"private": False}, False),
        ({"visibility": "private"}, True),
        ({"visibility": "public"}, False),
        ({"visibility": "public", "private": True}, False),
    ],
)
def test_visibilities(values: dict[str, Any], private: bool | None) -> None:
    assert read_private(fields(**values)) is private


def test_a_third_visibility_is_refused() -> None:
    with pytest.raises(BadInput, match="public or private, not 'protected'"):
        read_private(fields(visibility="protected"))
