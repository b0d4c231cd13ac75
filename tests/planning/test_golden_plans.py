"""Stories small enough to read: profiles in as CSV, plans out as text.

A story is a folder of ``golden/``: ``profiles.csv`` (columns ``cluster``, ``core``, flat field names),
optionally ``objects.csv``, ``matches.csv`` (``rule_level`` where rules matched) and ``rules.toml``;
``plans.txt`` is what comes out.
`UPDATE_GOLDEN=1 pytest tests/planning/test_golden_plans.py` writes it anew: read the difference.
"""

from __future__ import annotations

import os
import tomllib
from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest
from planning_cases import NOW, Rules, clusters_frame, objects_frame, profiles_frame

from resolver.model.domain_facts import DomainFacts
from resolver.model.frames import MATCH_GROUPS
from resolver.model.profile import ADDRESS_PARTS, SCALARS
from resolver.planning.plans import plan_merges
from resolver.planning.rendering import render_plan

STORIES = sorted((Path(__file__).parent / "golden").iterdir())
_SCALAR_OF = {column: name for name, column in SCALARS.items()}
_PART_OF = {column: name for name, column in ADDRESS_PARTS.items()}


def read_csv(path: Path) -> list[dict[str, str]]:
    if not path.exists():
        return []
    return pl.read_csv(path, infer_schema=False).to_dicts()


def read_profile(row: dict[str, str | None]) -> dict:
    profile: dict = {"ProfileId": row["profile_id"]}
    for column, text in row.items():
        if text is None or column in ("profile_id", "cluster", "core"):
            continue
        if column in _SCALAR_OF:
            profile[_SCALAR_OF[column]] = text
        elif column in _PART_OF:
            profile.setdefault("Address", {})[_PART_OF[column]] = text
        else:
            profile.setdefault("Attributes", {})[column] = text
    return profile


def read_story(folder: Path):
    rows = read_csv(folder / "profiles.csv")
    profiles = [read_profile(row) for row in rows]
    cores: dict[str, dict[str, list[str]]] = {}
    for row in rows:
        cores.setdefault(row["cluster"], {}).setdefault(row.get("core") or "1", []).append(row["profile_id"])
    clusters = [list(groups.values()) for groups in cores.values()]
    matches = read_csv(folder / "matches.csv")
    groups = [
        (
            row["match_id"],
            row["profile_id"],
            float(row["score"]) if row["score"] else None,
            int(row["rule_level"]) if row.get("rule_level") else None,
        )
        for row in matches
    ]
    objects = [(r["profile_id"], r["type"], r["key"], "{}", None) for r in read_csv(folder / "objects.csv")]
    facts = DomainFacts(
        "golden",
        pl.DataFrame(groups, schema=MATCH_GROUPS.columns, orient="row"),
        NOW - timedelta(days=2) if any(score for _, _, score, _ in groups) else None,
        objects_frame(objects),
        NOW,
        rule_matching=any(level for *_, level in groups),
    )
    rules = folder / "rules.toml"
    text = rules.read_text() if rules.exists() else (folder.parent / "rules.toml").read_text()
    return profiles, clusters_frame(*clusters), Rules.model_validate(tomllib.loads(text), strict=False), facts


@pytest.mark.parametrize("folder", [s for s in STORIES if s.is_dir()], ids=lambda s: s.name)
def test_the_story_ends_as_it_is_written(folder):
    profiles, clusters, rules, facts = read_story(folder)
    members = {p["ProfileId"]: p for p in profiles}
    concluded = plan_merges(profiles_frame(profiles), clusters, rules, facts)
    text = "\n".join(render_plan(plan, members) for plan in concluded.plans)
    if facts.match_groups.height:
        shown = concluded.second_opinion.select("cluster_id", "match_id", "relation", "new_links")
        text += "\nsecond opinion\n" + shown.write_csv()
    file = folder / "plans.txt"
    if os.environ.get("UPDATE_GOLDEN"):
        file.write_text(text, encoding="utf-8")
    assert text == file.read_text(encoding="utf-8")
