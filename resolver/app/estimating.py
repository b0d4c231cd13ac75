"""Use case: what a run will take, before it runs."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from resolver.errors import BadInput
from resolver.matching.forecast import forecast
from resolver.matching.standardisation import standardise
from resolver.profile_file import read_profiles
from resolver.rule_file import load_rules

if TYPE_CHECKING:
    from pathlib import Path

    from resolver.app.progress import Stopwatch
    from resolver.matching.forecast import Forecast
    from resolver.model.rule_set import RuleSet

_SEED: Final = 20_261_125
_MIB: Final = 2**20

#: Seconds that a stage takes on the machine that this was measured on (2 cores; stage times of `resolver
#: match` on 100,000 and 1,000,000 made-up people, see benchmarks/bench_estimate.py): once, per profile, per
#: pair found, per pair worth scoring. What the sample takes says how much faster or slower this machine is.
_START: Final = 0.6
_BLOCK: Final = (0.9, 0.6e-6)
_COMPARE: Final = 0.45e-6
_PASS: Final = (0.13, 0.2e-6, 0.26e-6)  # estimate and cluster
_RECOUNT: Final = 0.2e-6
_CONCLUDE: Final = (0.5e-6, 0.15e-6)
#: Processor seconds that standardising takes whatever the number of profiles (patterns of numbering plans);
#: its wall seconds for each of its processor seconds; processor seconds that blocking the sample takes.
_STANDARDISE_ONCE: Final = 0.25
_SIDE_BY_SIDE: Final = 0.62
_OF_SAMPLE: Final = (0.75, 2.0e-6)

#: MiB of a process with its libraries, of learning keys from a sample; bytes per byte of the table, per pair.
_LIBRARIES: Final = 150.0
_LEARNING: Final = 60.0
_PER_TABLE: Final = 4.6
_PER_PAIR: Final = 40.0


@dataclass(frozen=True, slots=True)
class Cost:
    """Processor seconds that standardising the sample took, and that blocking and comparing it took.

    Other work on the machine does not count.
    """

    standardise: float
    rest: float


def estimate_file(file: Path, rules_file: Path | None, sample: int, watch: Stopwatch) -> dict[str, Any]:
    """Candidate pairs, seconds, memory and calls of a run on these profiles, from a random sample of them.

    Raises:
        BadInput: the file or the rule set cannot be used, or the sample is too small to tell anything.
    """
    if sample < _FEWEST:
        raise BadInput(f"--sample {sample}: fewer than {_FEWEST} profiles tell nothing about the others")
    rules = load_rules(rules_file)
    profiles = read_profiles(file)
    height, table = profiles.height, profiles.estimated_size() / _MIB
    watch.stage("read", {"profiles": height})
    if height > sample:
        rows = np.sort(np.random.default_rng(_SEED).choice(height, sample, replace=False))
        profiles = profiles[rows]
    begin = time.process_time()
    standardised = standardise(profiles, rules.reference, rules.default_region)
    middle = time.process_time()
    told = forecast(standardised, height, rules)
    cost = Cost(middle - begin, time.process_time() - middle)
    watch.stage("sample", {"profiles": profiles.height})
    merged = min(told.matches, height)
    return {
        "profiles": height,
        "sampled": profiles.height,
        "candidate_pairs": round(told.pairs),
        "pairs_per_profile": round(told.pairs / max(height, 1), 3),
        "pairs_scored": round(told.scoring),
        "likely_matches": round(told.matches),
        "seconds": round(seconds(told, (height, profiles.height), cost, rules), 1),
        "peak_mib": round(memory(told, height, table, rules)),
        "calls_at_most": {
            "list_profile_objects, per object type": round(min(2 * merged, height)),
            "get_profile_history": round(min(2 * merged, height)),
            "merge_profiles": round(merged),
        },
        "blocking": sorted(told.keys, key=lambda key: -key["pairs"]),
        "rules_to_fix": list(told.beyond),
        "rule_set": {"name": rules.name, "fingerprint": rules.fingerprint},
    }


#: A sample smaller than this holds too few pairs to count.
_FEWEST: Final = 1000


def seconds(told: Forecast, extent: tuple[int, int], cost: Cost, rules: RuleSet) -> float:
    """Wall seconds of `resolver match` here; ``extent`` is how many profiles there are and were sampled."""
    height, sampled = extent
    if height <= sampled:
        sample_pairs, blocked = told.pairs, cost.rest
    else:
        sample_pairs = told.pairs * (sampled / height) ** 2
        blocked = 0.0
    large = height > rules.blocking.learn_above
    of_sample = _OF_SAMPLE[0] * large + _OF_SAMPLE[1] * sampled + 2 * _COMPARE * sample_pairs
    pace = min(max(cost.rest / max(of_sample, 0.2), 0.5), 4.0) if large else 1.0
    passes = (
        rules.estimation.passes_when_large if height > rules.estimation.large else rules.estimation.passes
    )
    work = passes * (_PASS[0] + _PASS[1] * height + _PASS[2] * told.scoring)
    work += (passes - 1) * _RECOUNT * height + _CONCLUDE[0] * height + _CONCLUDE[1] * told.scoring
    if not blocked:
        work += _BLOCK[0] * large + _BLOCK[1] * height + _COMPARE * told.pairs
    once = min(_STANDARDISE_ONCE * pace, cost.standardise)
    growing = (cost.standardise - once) * height / max(sampled, 1)
    return pace * (_START + work) + _SIDE_BY_SIDE * (once + growing + blocked)


def memory(told: Forecast, height: int, table: float, rules: RuleSet) -> float:
    """Peak MiB of `resolver match`; ``table`` is what the profiles take as they are."""
    learning = _LEARNING if height > rules.blocking.learn_above else 0.0
    return _LIBRARIES + learning + _PER_TABLE * table + _PER_PAIR * told.pairs / _MIB
