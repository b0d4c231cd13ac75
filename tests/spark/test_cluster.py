"""The Spark engine answers as the Polars one does, on sets that are blocked, skewed or cut short."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import polars as pl
import pytest
from blocked_people import MISSING, blocked_rules, people

from resolver.matching.linkage import link_profiles
from resolver.model.frames import DECISIONS, empty
from resolver.profile_file import read_profiles
from resolver.resolution import silent
from resolver.rule_file import load_rules

if TYPE_CHECKING:
    from pathlib import Path

# one session for all: on one worker
pytestmark = [
    pytest.mark.skipif(bool(MISSING), reason=f"the Spark engine needs {', '.join(MISSING)}"),
    pytest.mark.xdist_group("spark"),
    pytest.mark.filterwarnings("ignore"),
]


def on_cluster(spark, profiles, rules, directory: Path):
    from resolver.spark.checkpoints import Checkpoints, identity_of  # noqa: PLC0415
    from resolver.spark.cluster import OnCluster  # noqa: PLC0415 - needs pyarrow
    from resolver.spark.store import Store  # noqa: PLC0415

    work = OnCluster(spark, Checkpoints(Store(spark, directory), identity_of(profiles, rules)))
    return link_profiles(profiles, rules, empty(DECISIONS), silent, work)


def test_clusters_pairs_and_figures_are_those_of_the_polars_engine(spark, tmp_path):
    profiles, rules = people(600), blocked_rules()
    here = link_profiles(profiles, rules, empty(DECISIONS), silent)
    there = on_cluster(spark, profiles, rules, tmp_path)
    assert here.pairs.height > 0
    largest = max(key["largest_block"] for key in here.diagnostics["blocking"])
    assert largest > rules.blocking.largest_block, "the shared phone is above the cap"
    assert there.clusters.equals(here.clusters)
    assert there.pairs.equals(here.pairs)
    assert there.diagnostics == here.diagnostics


def test_a_finished_stage_is_not_run_again_and_a_changed_input_starts_over(spark, tmp_path):
    profiles, rules = people(200), blocked_rules()
    first = on_cluster(spark, profiles, rules, tmp_path)
    noted = {file.name: file.stat().st_mtime_ns for file in tmp_path.glob("*.json")}
    assert set(noted) == {"words.json", "pairs.json", "evidence.json"}
    (tmp_path / "evidence.json").unlink()  # as if the run had been cut short there
    again = on_cluster(spark, profiles, rules, tmp_path)
    assert again.pairs.equals(first.pairs)
    later = {file.name: file.stat().st_mtime_ns for file in tmp_path.glob("*.json")}
    assert later["pairs.json"] == noted["pairs.json"]
    assert later["evidence.json"] != noted["evidence.json"]

    changed = profiles.with_columns(last_name=pl.col("last_name").str.replace("familya", "kin"))
    other = on_cluster(spark, changed, rules, tmp_path)
    assert json.loads((tmp_path / "pairs.json").read_text())["identity"]
    assert other.pairs.equals(link_profiles(changed, rules, empty(DECISIONS), silent).pairs)


LABELLED = (
    *("cdc_recordlinker", "dupehell_crm_contact", "fake_1000", "febrl1", "febrl3", "historical_dev"),
    *("pseudopeople_civic", "pseudopeople_employers", "restaurants", "rldata500"),
    *("secondstring_business", "secondstring_census"),
)


@pytest.mark.soak
@pytest.mark.parametrize("name", LABELLED if os.environ.get("RESOLVER_SOAK") else ["rldata500"])
def test_labelled_sets_are_answered_alike_pair_by_pair(spark, dev_data, tmp_path, name):
    rules = load_rules(None)
    blocking = rules.blocking.model_copy(
        update={"all_pairs_up_to": 0}
    )  # else there is nothing to do for Spark
    rules = rules.model_copy(update={"blocking": blocking})
    profiles = read_profiles(dev_data / f"{name}.parquet")
    here = link_profiles(profiles, rules, empty(DECISIONS), silent)
    there = on_cluster(spark, profiles, rules, tmp_path)
    assert (tmp_path / "evidence.json").is_file(), "the cluster compared the pairs"
    assert there.clusters.equals(here.clusters)
    assert there.pairs.equals(here.pairs)
