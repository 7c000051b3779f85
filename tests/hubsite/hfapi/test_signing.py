"""Signed upload URLs."""

import pytest
from django.core import signing

from hubsite.core.errors import Forbidden
from hubsite.hfapi.signing import UploadGrant, read_grant

GRANT = UploadGrant(user_id=1, repo_id=2, oid="a" * 64, size=3)


def test_a_grant_is_good_for_its_object_alone() -> None:
    assert read_grant(GRANT.sign(), oid=GRANT.oid) == GRANT
    with pytest.raises(Forbidden, match="another object"):
        read_grant(GRANT.sign(), oid="b" * 64)


@pytest.mark.parametrize(
    "token",
    ["", "x", signing.dumps({"user_id": 1}), GRANT.sign()[:-1] + "_"],
    ids=["empty", "noise", "of another purpose", "altered"],
)
def test_forged_grants_are_refused(token: str) -> None:
    with pytest.raises(Forbidden, match="start the upload again"):
        read_grant(token, oid=GRANT.oid)


def test_old_grants_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    token = GRANT.sign()
    monkeypatch.setattr("hubsite.hfapi.signing.MAX_AGE_SECONDS", -1)
    with pytest.raises(Forbidden, match="no longer"):
        read_grant(token, oid=GRANT.oid)
