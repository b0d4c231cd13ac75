from __future__ import annotations

import polars as pl
import pytest

from resolver.errors import BadFrame
from resolver.model.frames import CLUSTERS, PROFILES, SCORED_PAIRS, conform, empty


def test_absent_optional_columns_stay_absent():
    frame = pl.DataFrame({"profile_id": ["a"], "first_name": ["Ana"], "unknown": [1]})
    assert conform(frame, PROFILES).columns == ["profile_id", "first_name"]


def test_a_missing_column_is_named_with_what_is_there():
    with pytest.raises(BadFrame, match=r"profiles: no column profile_id \(columns there: id\)"):
        conform(pl.DataFrame({"id": ["a"]}), PROFILES)


def test_a_wrong_type_is_named():
    with pytest.raises(BadFrame, match="first_name is Int64, not String"):
        conform(pl.DataFrame({"profile_id": ["a"], "first_name": [1]}), PROFILES)


def test_an_address_may_hold_some_parts_only_but_no_other_part():
    good = pl.DataFrame({"profile_id": ["a"], "address": [{"city": "Bonn"}]})
    assert conform(good, PROFILES).height == 1
    with pytest.raises(BadFrame, match="address is Struct"):
        conform(pl.DataFrame({"profile_id": ["a"], "address": [{"town": "Bonn"}]}), PROFILES)


def test_open_frames_keep_their_own_columns_at_the_end():
    pairs = empty(SCORED_PAIRS).with_columns(pl.lit(1, pl.Int8).alias("email_level"))
    assert conform(pairs.select(sorted(pairs.columns)), SCORED_PAIRS).columns[-1] == "email_level"


def test_an_empty_frame_conforms_to_its_schema():
    assert conform(empty(CLUSTERS), CLUSTERS).height == 0
