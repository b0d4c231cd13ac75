"""Use case: why two profiles matched, or why not."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from resolver.matching.explanation import explain_pair
from resolver.matching.linkage import link_profiles
from resolver.model.frames import DECISIONS, empty
from resolver.profile_file import read_profiles
from resolver.report.explanation import render_pair
from resolver.rule_file import load_rules

if TYPE_CHECKING:
    from pathlib import Path

    from resolver.app.progress import Stopwatch


def explain_in_file(
    file: Path, profile_ids: tuple[str, str], rules_file: Path | None, watch: Stopwatch
) -> tuple[dict[str, Any], str]:
    """The way from prior to match weight of two profiles of a file, as data and as text.

    The file is linked anew: the same profiles and rules give the same answer, and no parameter file can be
    stale. Shows standardised values, which are customers' data.

    Raises:
        BadInput: the file or the rule set cannot be used, or a profile is not in the file.
    """
    rules = load_rules(rules_file)
    profiles = read_profiles(file)
    watch.stage("read", {"profiles": profiles.height})
    linkage = link_profiles(profiles, rules, empty(DECISIONS), watch.stage)
    explained = explain_pair(linkage, profiles, profile_ids)
    return {"profile_ids": list(profile_ids), **asdict(explained)}, render_pair(profile_ids, explained)
