"""One repository's description, key by key (hf_protocol 3.3)."""

import re

from django.test import Client

from hubsite.accounts.models import User
from tests.hubsite.factories import make_commit, make_repo
from tests.hubsite.hfapi.conftest import CARD


def test_info_has_what_clients_read(client: Client, alice: User) -> None:
    commit = make_commit(
        make_repo(alice, "full"), {"README.md": CARD, "w.safetensors": b"w"}, lfs={"w.safetensors"}
    )
    info = client.get("/api/models/alice/full").json()
    assert info["id"] == info["modelId"] == "alice/full"
    assert info["sha"] == commit.sha
    assert info["hubState"] == "received"
    assert info["siblings"] == [{"rfilename": "README.md"}, {"rfilename": "w.safetensors"}]
    assert info["cardData"]["license"] == "mit"
    assert "self" not in info["cardData"]
    assert info["pipeline_tag"] == "text-classification"
    assert {"adapter_lib", "lora", "free tag", "en", "de", "license:mit", "dataset:own"} <= set(info["tags"])
    assert (info["private"], info["gated"], info["disabled"]) == (False, False, False)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", info["lastModified"])
    with_sizes = client.get(f"/api/models/alice/full/revision/{commit.sha[:10]}?blobs=True")
    file = with_sizes.json()["siblings"][1]
    assert (file["size"], file["lfs"]["size"], len(file["lfs"]["sha256"])) == (1, 1, 64)
    assert file["lfs"]["pointerSize"] > 100
    assert with_sizes["X-Hub-State"] == "received"
    assert set(client.get("/api/models/alice/full?expand=sha&expand=xetEnabled").json()) == {"id", "sha"}


def test_ids_are_found_in_any_case_and_answered_in_their_own(client: Client, alice: User) -> None:
    make_repo(alice, "Example")
    assert client.get("/api/models/ALICE/example").json()["id"] == "alice/Example"


def test_unreadable_front_matter_is_no_obstacle(client: Client, alice: User) -> None:
    make_commit(make_repo(alice, "odd"), {"README.md": b"---\n: [\n---\n\xff\xfe"})
    info = client.get("/api/models/alice/odd").json()
    assert "cardData" not in info
    assert "adapter_lib" in info["tags"]
