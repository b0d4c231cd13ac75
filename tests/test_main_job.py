"""The main job on data that nobody here wrote, through the command line and over the wire."""

from __future__ import annotations

import json
from itertools import combinations

import boto3
import polars as pl
import pytest

from resolver.cli import main
from resolver.local.loading import load_profiles
from resolver.model.profile import from_row, without_blanks
from resolver.profile_file import read_profiles


def run(*arguments: object) -> int:
    with pytest.raises(SystemExit) as left:
        main([str(a) for a in arguments])
    return int(left.value.code or 0)


def pairwise_f1(truth: dict[str, str], found: dict[str, str]) -> float:
    """F1 over unordered pairs, written out: the slow twin of the package's own evaluation."""

    def pairs(groups: dict[str, str]) -> set[tuple[str, str]]:
        members: dict[str, list[str]] = {}
        for profile_id, group in groups.items():
            members.setdefault(group, []).append(profile_id)
        return {pair for ids in members.values() for pair in combinations(sorted(ids), 2)}

    true, guessed = pairs(truth), pairs(found)
    return 2 * len(true & guessed) / (len(true) + len(guessed))


def test_febrl3_from_its_file_is_resolved_to_0_98(dev_data, tmp_path):
    file = dev_data / "febrl3.parquet"
    assert run("match", file, "--out", tmp_path, "--quiet") == 0
    clusters = pl.read_parquet(tmp_path / "clusters.parquet")
    truth = pl.read_parquet(file, columns=["profile_id", "entity_id"])
    assert sorted(clusters["profile_id"]) == sorted(truth["profile_id"]), "every profile exactly once"
    found = dict(clusters.select("profile_id", "cluster_id").iter_rows())
    assert pairwise_f1(dict(truth.iter_rows()), found) >= 0.98


def test_febrl3_over_the_wire_ends_with_the_predicted_profiles(dev_data, tmp_path, endpoint):
    profiles = read_profiles(dev_data / "febrl3.parquet")
    load_profiles(endpoint.store, "febrl", (from_row(row) for row in profiles.iter_rows(named=True)))
    seeds = profiles.sort("profile_id").head(profiles.height // 20)
    keys = seeds.select(key_name=pl.lit("_account"), value="account_number").drop_nulls()
    keys.write_csv(tmp_path / "keys.csv")
    where = ("--domain", "febrl", "--endpoint-url", endpoint.url, "--calls-per-second", "0", "--quiet")
    code = run("run", *where, "--keys", tmp_path / "keys.csv", "--out", tmp_path / "run", "--apply")
    assert code == 0

    client = boto3.client("customer-profiles", endpoint_url=endpoint.url)
    report = json.loads((tmp_path / "run" / "report.json").read_text(encoding="utf-8"))
    merged_away = report["apply"]["profiles_merged_away"]
    assert merged_away > 0
    assert client.get_domain(DomainName="febrl")["Stats"]["ProfileCount"] == profiles.height - merged_away

    plans = pl.read_parquet(tmp_path / "run" / "plans.parquet").filter(pl.col("band") == "merge")
    assert plans.height > 0
    for plan in plans.iter_rows(named=True):
        found = client.search_profiles(
            DomainName="febrl", KeyName="_profileId", Values=[plan["main_profile_id"]]
        )
        (survivor,) = found["Items"]
        assert without_blanks(survivor) == json.loads(plan["predicted"])
