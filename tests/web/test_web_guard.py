from __future__ import annotations

import pytest
from asking import TOKEN
from starlette.testclient import TestClient

from resolver.web.guard import COOKIE, POLICY, Admission
from resolver.web.server import create_app


def stranger(app, **headers):
    return TestClient(app, base_url="http://127.0.0.1", headers=headers, follow_redirects=False)


def test_nobody_comes_in_without_the_token(app):
    for path in ("/", "/clusters/cluster-h", "/export.csv", "/static/review.css", "/openapi.json"):
        answer = stranger(app).get(path)
        assert answer.status_code == 401
        assert "Mar" not in answer.text


def test_a_wrong_token_is_no_token(app):
    assert stranger(app).get("/?token=wrong").status_code == 401
    assert stranger(app).get("/", headers={"cookie": f"{COOKIE}=wrong"}).status_code == 401


def test_the_token_leaves_the_address_at_once(app):
    answer = stranger(app).get(f"/?token={TOKEN}")
    assert answer.status_code == 303
    assert answer.headers["location"] == "/"
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie


@pytest.mark.parametrize("site", ["cross-site", "same-site", "none"])
def test_unsafe_requests_from_elsewhere_change_nothing(app, desk, site):
    client = stranger(app, **{"sec-fetch-site": site, "cookie": f"{COOKIE}={TOKEN}"})
    for path in ("/undo", "/claims", "/clusters/cluster-e/verdict", "/settings"):
        assert client.post(path, data={"action": "take"}).status_code == 403
    assert not desk.facts()
    assert not desk.claims()


def test_without_fetch_metadata_the_origin_must_be_ours(app):
    cookie = {"cookie": f"{COOKIE}={TOKEN}"}
    assert stranger(app, origin="http://evil.example", **cookie).post("/undo").status_code == 403
    assert stranger(app, **cookie).post("/undo").status_code == 403
    assert stranger(app, origin="http://127.0.0.1", **cookie).post("/undo").status_code == 303


def test_other_names_for_this_address_are_refused(client):
    assert client.get("/", headers={"host": "evil.example"}).status_code == 421


def test_every_answer_carries_the_policy(client):
    for path in ("/", "/clusters/cluster-h", "/nothing", "/static/review.js"):
        answer = client.get(path)
        assert answer.headers["content-security-policy"] == POLICY
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "no-referrer"


def test_a_user_header_is_believed_from_the_proxy_only(desk):
    admission = Admission("", user_header="x-user", proxies=frozenset(("10.0.0.1",)))
    app = create_app(desk, admission)
    for host, status in (("10.0.0.1", 200), ("10.0.0.2", 401)):
        client = TestClient(app, base_url="http://127.0.0.1", client=(host, 1), headers={"x-user": "bo"})
        assert client.get("/").status_code == status


def test_no_page_has_inline_script_or_style(client, desk):
    for path in ("/", "/clusters/cluster-h", "/history", "/runs/run-47", "/batches"):
        html = client.get(path).text
        assert " style=" not in html
        assert "<style" not in html
        assert " onclick=" not in html
        assert html.count("<script") == html.count('<script src="/static/')
