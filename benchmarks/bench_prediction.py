"""Predictions against real merges on labelled sets: `python benchmarks/bench_prediction.py FOLDER`.

Every Parquet file of the folder (flat API field names, `entity_id` as the truth) becomes a domain of the
embedded service. Its true entities are planned as clusters, every plan is applied, and each survivor is read
back and compared with its prediction. Half of the sets meet a service that picks the other winner where AWS's
is not documented.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

import boto3
import polars as pl
from bench_plans import Rules

from resolver.local.embed import attach
from resolver.local.loading import load_profiles
from resolver.local.service import Service, Settings
from resolver.local.store import Store
from resolver.model.domain_facts import DomainFacts
from resolver.model.frames import PROFILES, Band
from resolver.model.profile import ADDRESS_PARTS, SCALARS, Profile, to_row
from resolver.planning.conservation import account
from resolver.planning.plans import plan_merges


def read_profiles(file: Path) -> tuple[list[Profile], list[str]]:
    """The profiles of a labelled set and the entity of each."""
    profiles: list[Profile] = []
    table = pl.read_parquet(file)
    for row in table.iter_rows(named=True):
        profile: Profile = {"ProfileId": row["profile_id"]}
        profile |= {name: row[name] for name in SCALARS if row.get(name)}
        block = {part: row[part] for part in ADDRESS_PARTS if row.get(part)}
        entries = {
            k: str(v) for k, v in json.loads(row.get("Attributes") or "{}").items() if v not in (None, "")
        }
        # the service refuses codes that it does not know: free text has a field of its own
        for code, free in (("Gender", "GenderString"), ("PartyType", "PartyTypeString")):
            if code in profile:
                profile[free] = profile.pop(code)
        profile |= {"Address": block} if block else {}
        profile |= {"Attributes": entries} if entries else {}
        profiles.append(profile)
    return profiles, table["entity_id"].cast(pl.String).to_list()


def clusters_of(ids: list[str], entities: list[str]) -> pl.DataFrame:
    """The truth as a CLUSTERS frame, fit to be merged."""
    frame = pl.DataFrame({"profile_id": ids, "cluster_id": entities})
    return frame.with_columns(
        pl.len().over("cluster_id").cast(pl.UInt32).alias("size"),
        core_id="cluster_id",
        weakest_link=pl.lit(9.0),
        contested=pl.lit(value=False),
        band=pl.lit("merge", Band),
    )


def apply_all(file: Path, merge_winner: Any) -> str:
    """One row of the table."""
    profiles, entities = read_profiles(file)
    store = Store.open(None)
    keys = {"aws_access_key_id": "none", "aws_secret_access_key": "none", "region_name": "us-east-1"}
    client = boto3.client("customer-profiles", **keys)
    attach(client, Service(store, Settings(merge_winner=merge_winner)))
    mapping = load_profiles(store, "bench", profiles).mapping
    for profile in profiles:
        profile["ProfileId"] = mapping[profile["ProfileId"]]
    members = {p["ProfileId"]: p for p in profiles}
    schema = {k: v for k, v in PROFILES.columns.items() if k not in ("last_updated_at", "source")}
    frame = pl.DataFrame([{n: row.get(n) for n in schema} for row in map(to_row, profiles)], schema=schema)
    started = time.perf_counter()
    plans = plan_merges(frame, clusters_of(list(members), entities), Rules(), DomainFacts("bench")).plans
    planned = time.perf_counter() - started
    differing = gone = given_up = values = 0
    for plan in plans:
        for step in plan.steps:
            client.merge_profiles(
                DomainName="bench",
                MainProfileId=step.main_profile_id,
                ProfileIdsToBeMerged=list(step.merged_profile_ids),
                FieldSourceProfileIds=step.field_sources,
            )
            gone += len(step.merged_profile_ids)
        answer = client.batch_get_profile(DomainName="bench", ProfileIds=[plan.main_profile_id])
        differing += answer["Profiles"][0] != plan.predicted
        entries = account(plan, members)
        values += len(entries)
        given_up += sum(entry.fate == "given_up" for entry in entries)
    left = client.get_domain(DomainName="bench")["Stats"]["ProfileCount"]
    store.close()
    merge = sum(plan.band == "merge" for plan in plans)
    wrong = differing + (left != len(profiles) - gone)
    return (
        f"{file.stem:24}{merge_winner:>8}{len(profiles):>9,}{len(plans):>8,}{merge:>8,}{gone:>8,}{wrong:>7}"
        f"{values:>9,}{given_up:>9,}{planned:>8.2f}"
    )


def main() -> None:
    """Print one row a set."""
    print(f"{'set':24}{'winner':>8}{'profiles':>9}{'plans':>8}{'merge':>8}{'merged':>8}{'wrong':>7}", end="")
    print(f"{'values':>9}{'given up':>9}{'plan s':>8}")
    for number, file in enumerate(sorted(Path(sys.argv[1]).glob("*.parquet"))):
        print(apply_all(file, "hostile" if number % 2 else "normal"), flush=True)


if __name__ == "__main__":
    main()
