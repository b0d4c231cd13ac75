"""Whatever is sent, the app answers, and never with a fault of its own."""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

PATHS = (
    "/clusters/cluster-h/{}",
    "/second/cluster-h",
    "/patterns/{}/batch",
    "/claims",
    "/undo",
    "/find",
    "/settings",
    "/contradictions",
    "/history/undo",
)
WORDS = st.sampled_from(["verdict", "draft", "take", "next", "previous", "x", "%00", "..", "Ü"])
FIELDS = st.sampled_from(
    [
        "verdict",
        "seq",
        "version",
        "action",
        "value",
        "field",
        "profile",
        "cluster",
        "choice",
        "typed",
        "q",
        "back",
        "hidden",
        "theme",
        "confirmed",
        "look_ms",
    ]
)
VALUES = st.one_of(
    st.text(max_size=40),
    st.sampled_from(
        [
            "merge",
            "split",
            "group",
            "source",
            "main",
            "note",
            "1",
            "-1",
            "99999999999999999999",
            "true",
            "h-a",
            "cluster-h",
            "FirstName",
            "draw",
            "approve",
            "right",
            "take",
            "next",
        ]
    ),
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(path=st.sampled_from(PATHS), word=WORDS, form=st.dictionaries(FIELDS, VALUES, max_size=6))
def test_no_form_makes_the_app_fail(client, path, word, form):
    assert client.post(path.format(word), data=form).status_code < 500


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    path=st.sampled_from(
        [
            "/clusters/{}",
            "/clusters/{}/next",
            "/patterns/{}",
            "/patterns/{}/batch",
            "/runs/{}",
            "/second/{}",
            "/history?show={}",
        ]
    ),
    word=st.one_of(
        WORDS,
        st.text(
            st.characters(exclude_characters="#?\r\n\t", exclude_categories=["Cs", "Cc"]),
            min_size=1,
            max_size=20,
        ),
    ),
)
def test_no_address_makes_the_app_fail(client, path, word):
    assert client.get(path.format(word)).status_code < 500


def test_every_documented_operation_answers(client):
    paths = client.get("/openapi.json").json()["paths"]
    assert len(paths) > 20
    for path, operations in paths.items():
        for method in operations:
            address = path.format(cluster_id="cluster-h", key="nothing", run_id="run-47")
            assert client.request(method, address).status_code < 500
