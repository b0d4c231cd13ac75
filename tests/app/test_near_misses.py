from __future__ import annotations

import json

import polars as pl
import pytest
from merges import plan_of_group

from resolver.app.near_misses import TOLD, aws_only_reasons, near_misses, render_near_misses
from resolver.errors import BadFile


@pytest.fixture
def run(tmp_path):
    """A run of a cluster a, b and others that were compared with it."""
    rows = [
        ("a", "b", 20.0, 9.0, 4.0, "merge"),
        ("a", "c", -3.0, 8.0, -9.5, "distinct"),
        ("b", "c", -6.0, 5.0, -9.5, "distinct"),
        ("0d", "b", 4.0, 6.0, 0.0, "review"),
        ("e", "f", 30.0, 9.0, 9.0, "merge"),
    ]
    names = [
        "profile_id_left",
        "profile_id_right",
        "match_weight",
        "phone_weight",
        "birth_date_weight",
        "band",
    ]
    pl.DataFrame(rows, schema=names, orient="row").write_parquet(tmp_path / "pairs.parquet")
    pl.DataFrame({"profile_id": ["a", "b", "c", "0d"], "cluster_id": ["a", "a", "c", "0d"]}).write_parquet(
        tmp_path / "clusters.parquet"
    )
    return tmp_path


def the_plan():
    return plan_of_group([{"ProfileId": "a"}, {"ProfileId": "b"}])


def test_a_plan_tells_which_compared_profiles_it_leaves_out_and_what_spoke_against_them(run):
    misses = near_misses(run, the_plan())
    assert [(m["left_out"], m["profile_id"], m["match_weight"]) for m in misses] == [
        ("0d", "b", 4.0),
        ("c", "a", -3.0),
    ]
    assert misses[1]["evidence"] == {"phone": 8.0, "birth_date": -9.5}
    text = render_near_misses(misses, ())
    assert "0d and b: +4.0, review; for it phone +6.0; against it nothing but the prior" in text
    assert "c and a: -3.0, distinct; for it phone +8.0; against it birth_date -9.5" in text


def test_only_the_nearest_are_told(run):
    pairs = pl.read_parquet(run / "pairs.parquet")
    more = [("a", f"z{n}", -float(n), 1.0, 1.0, "distinct") for n in range(TOLD + 3)]
    pl.concat([pairs, pl.DataFrame(more, schema=pairs.schema, orient="row")]).write_parquet(
        run / "pairs.parquet"
    )
    assert len(near_misses(run, the_plan())) == TOLD


def test_a_run_without_pairs_has_nothing_to_tell_and_broken_ones_are_an_error(run):
    (run / "clusters.parquet").write_text("x")
    with pytest.raises(BadFile, match=r"pairs\.parquet"):
        near_misses(run, the_plan())
    (run / "pairs.parquet").unlink()
    assert near_misses(run, the_plan()) == []
    assert render_near_misses([], ()) == ""


def test_a_plan_of_get_matches_tells_why_matching_did_not_link_it(run):
    assert aws_only_reasons(run, "p1") == []
    told = [{"plan_id": "p1", "left": "a", "right": "b", "why_not": "names differ"}, {"plan_id": "p2"}]
    (run / "report.json").write_text(json.dumps({"aws_only": told}))
    assert aws_only_reasons(run, "p1") == ["a and b: names differ"]
    assert "names differ" in render_near_misses([], aws_only_reasons(run, "p1"))
    (run / "report.json").write_text("{")
    with pytest.raises(BadFile, match=r"report\.json"):
        aws_only_reasons(run, "p1")
