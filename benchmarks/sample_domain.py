"""The generated sample domain as a labelled set: what households, staff and switchboards do to a merge.

The labelled sets of one kind of profile say little of a domain that mixes companies with the people who work
there. A merge cannot be undone, so the precision of what would be merged without a person has a bar here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import polars as pl

from resolver.local.sample.generator import make_sample
from resolver.matching.evaluation import score_clusters
from resolver.matching.linkage import link_profiles
from resolver.model.frames import DECISIONS, empty
from resolver.profiles.convert import profiles_frame

if TYPE_CHECKING:
    from resolver.model.rule_set import RuleSet

#: The demo's own seed first.
SEEDS: Final = (20, 1, 2)
PROFILES: Final = 5000
#: Least share of right pairs among those that are merged without a person, in every domain.
BAR: Final = 0.99


def sample_domains(rules: RuleSet) -> tuple[str, bool]:
    """Clusters and unattended merges against the truth, a line a seed, and whether the bar holds."""
    lines, held = [], True
    for seed in SEEDS:
        sample = make_sample(PROFILES, seed)
        profiles = profiles_frame(sample.profiles)
        truth = pl.DataFrame(
            list(sample.truth.items()), schema=["profile_id", "entity_id"], orient="row"
        ).join(profiles.select("profile_id"), on="profile_id", how="semi")
        found = link_profiles(profiles, rules, empty(DECISIONS), lambda _name, _counts: None).clusters
        whole = score_clusters(found, truth)
        merged = score_clusters(found.select("profile_id", cluster_id="core_id"), truth)
        held &= merged.precision >= BAR
        lines.append(
            f"  seed {seed:<4d} clusters P {whole.precision:.4f} R {whole.recall:.4f} F1 {whole.f1:.4f}"
            f"   merge band P {merged.precision:.4f} R {merged.recall:.3f}"
        )
    verdict = "held" if held else "MISSED"
    return f"merge band P >= {BAR} in each: {verdict}\n" + "\n".join(lines), held
