from __future__ import annotations

import io
import os
import threading

import polars as pl
import pytest
from asking import form_of
from starlette.testclient import TestClient
from workshop import batch_of, many

from resolver.app.reviewing.desk import Desk
from resolver.ledger.reviews import open_review_book
from resolver.web.guard import Admission
from resolver.web.server import create_app

#: Clusters that four reviewers race for; all 500 in the long campaign.
CLUSTERS = 500 if os.environ.get("RESOLVER_SOAK") else 12


def decide(client, cluster_id, verdict, **more):
    form = form_of(client.get(f"/clusters/{cluster_id}").text)
    return client.post(f"/clusters/{cluster_id}/verdict", data={"verdict": verdict, **form, **more})


def test_no_value_stands_in_an_address_or_a_title(client):
    answer = client.post("/find", data={"q": "daniel.marin@example.com"})
    assert answer.status_code == 303
    assert answer.headers["location"] == "/clusters/cluster-h"
    page = client.get("/clusters/cluster-h").text
    title = page.split("<title>")[1].split("</title>")[0]
    assert title == "Cluster cluster-h · Merge review"


def test_a_look_up_that_finds_nothing_says_so(client):
    assert "No cluster matches." in client.post("/find", data={"q": "nobody at all"}).text


def test_verdicts_leave_as_csv_that_no_spreadsheet_runs_and_as_parquet(client):
    client.post("/clusters/cluster-e/draft", data={"action": "note", "value": "=1+1"})
    decide(client, "cluster-e", "not_same")
    text = client.get("/export.csv").text
    assert "'=1+1" in text
    assert ",=1+1" not in text
    frame = pl.read_parquet(io.BytesIO(client.get("/export.parquet").content))
    assert frame["verdict"].to_list() == ["not_same"]
    assert frame["note"].to_list() == ["=1+1"]


def test_pages_stay_small(client, desk):
    for path in ("/", "/clusters/cluster-h", "/clusters/cluster-b", "/runs/run-47"):
        assert len(client.get(path).content) <= 80 * 1024, path
    card = client.get("/clusters/cluster-h", headers={"hx-request": "true"})
    assert len(card.content) <= 40 * 1024
    assert "<html" not in card.text


def test_static_files_stay_small(client):
    assert len(client.get("/static/review.css").content) <= 32 * 1024
    assert len(client.get("/static/review.js").content) <= 11 * 1024
    assert len(client.get("/static/htmx.min.js").content) <= 53 * 1024


def test_claimed_clusters_are_read_only_to_others_until_taken_over(desk):
    app = create_app(desk, Admission("", user_header="x-user", proxies=frozenset(("testclient",))))
    own = {"sec-fetch-site": "same-origin"}
    ana, bo = (
        TestClient(app, base_url="http://127.0.0.1", headers={**own, "x-user": name}, follow_redirects=False)
        for name in ("ana", "bo")
    )
    ana.post("/claims", data={"action": "take"})
    held = next(iter(desk.claims()))
    assert "ana holds this until" in bo.get(f"/clusters/{held}").text
    answer = decide(bo, held, "not_same")
    assert answer.status_code == 409
    assert not desk.facts()
    bo.post(f"/clusters/{held}/take")
    assert "Enter: take over" in bo.post(f"/clusters/{held}/take").text
    assert desk.claims()[held][0] == "ana"
    bo.post(f"/clusters/{held}/take", data={"confirmed": "1"})
    assert decide(bo, held, "not_same").status_code == 303
    assert ana.post("/claims", data={"action": "hand_back"}).status_code == 303
    assert set(desk.claims()) == {held}


@pytest.mark.parametrize("back", ["//evil.example", "https://evil.example", "/\\evil.example", "x"])
def test_settings_send_nobody_to_another_site(client, back):
    assert client.post("/settings", data={"back": back, "hidden": "1"}).headers["location"] == "/"


def test_four_reviewers_at_once_decide_no_cluster_twice_and_lose_no_verdict(tmp_path):
    check_four_reviewers(str(tmp_path / "ledger.db"))


def test_four_reviewers_at_once_on_postgresql(postgresql_url):
    check_four_reviewers(postgresql_url)


def check_four_reviewers(url):
    """Four desks, as four processes would have them, on one ledger."""
    batch = batch_of(many(CLUSTERS))
    saved, refused = [], []

    def open_desk(name):
        desk = Desk(batch, open_review_book(url), second_share=0.0, blind_share=0.0)
        app = create_app(desk, Admission("", user_header="x-user", proxies=frozenset(("testclient",))))
        own = {"sec-fetch-site": "same-origin", "x-user": name}
        return desk, TestClient(app, base_url="http://127.0.0.1", headers=own, follow_redirects=False)

    def review(desk, client):
        for cluster_id in desk.order:
            page = client.get(f"/clusters/{cluster_id}").text
            answer = client.post(
                f"/clusters/{cluster_id}/verdict", data={"verdict": "not_same", **form_of(page)}
            )
            (saved if answer.status_code == 303 else refused).append((cluster_id, answer))

    # apps are made one after another: building one changes the warning filters of the whole process
    desks = [open_desk(name) for name in ("ana", "bo", "cy", "dee")]
    threads = [threading.Thread(target=review, args=desk) for desk in desks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(saved) + len(refused) == 4 * CLUSTERS
    assert sorted(cluster_id for cluster_id, _ in saved) == sorted(batch.cases)
    assert all(answer.status_code == 409 and "decided this at" in answer.text for _, answer in refused)
    with open_review_book(url) as book:
        assert len(book.facts_since("retail", 0)) == CLUSTERS
        assert book.decisions_of("retail").height == CLUSTERS
