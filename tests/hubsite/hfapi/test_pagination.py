"""Pages by cursor."""

from django.http import HttpResponse
from django.test import Client, RequestFactory

from hubsite.accounts.actors import Actor
from hubsite.accounts.models import User
from hubsite.hfapi.calls import Call
from hubsite.hfapi.pagination import cut_page, encode_cursor, link_next
from tests.hubsite.factories import make_commit, make_repo
from tests.hubsite.hfapi.wire import follow


def test_pages_lose_and_repeat_nothing(client: Client, alice: User) -> None:
    repo = make_repo(alice, "pages")
    for number in range(3):
        make_commit(
            repo, {f"d{number}/f{index:02}.txt": b"%d" % number for index in range(40)}, title=f"c{number}"
        )
    tree = follow(client, "/api/models/alice/pages/tree/main?recursive=true&expand=true")
    assert len(tree) == 123
    assert len({item["path"] for item in tree}) == 123
    assert {item["lastCommit"]["title"] for item in tree} == {"c0", "c1", "c2"}
    short = follow(client, "/api/models/alice/pages/tree/main?recursive=true&limit=7")
    assert [item["path"] for item in short] == [item["path"] for item in tree]
    commits = follow(client, "/api/models/alice/pages/commits/main?limit=1&expand[]=formatted")
    assert [row["title"] for row in commits] == ["c2", "c1", "c0"]
    assert commits[0]["formatted"]["title"] == "c2"


def test_the_last_page_has_no_cursor() -> None:
    assert cut_page([1, 2, 3], 3, lambda row: [row]) == ([1, 2, 3], "")
    page, cursor = cut_page([1, 2, 3], 2, lambda row: [row])
    assert (page, cursor) == ([1, 2], encode_cursor([2]))


def test_links_keep_the_query_and_encode_the_path() -> None:
    call = Call(
        RequestFactory().get("/api/models/a/b/tree/ä%20b?recursive=true&cursor=old"), Actor.anonymous()
    )
    response = HttpResponse()
    link_next(call, response, "new")
    assert response["Link"] == (
        '<http://testserver/api/models/a/b/tree/%C3%A4%20b?recursive=true&cursor=new>; rel="next"'
    )
