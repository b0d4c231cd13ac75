from __future__ import annotations

import os
import random
from dataclasses import replace

import polars as pl
import pytest
from test_linkage import FIRST, decided, people

from resolver.matching.explanation import explain_pair
from resolver.matching.fingerprints import Fingerprints
from resolver.matching.incremental import link_changes, outgrown
from resolver.matching.linkage import link_again, link_profiles
from resolver.matching.readable import readable
from resolver.matching.state import State, state_of
from resolver.matching.trained import trained_by
from resolver.model.frames import DECISIONS, PROFILES, conform, empty

CAMPAIGN = 300 if os.environ.get("RESOLVER_SOAK") else 2
NOBODY = empty(DECISIONS)


def silent(*_):
    return None


def shared(rows, draw):
    """With values that many share, so that blocks stand at their limit, and attributes of both kinds."""
    for k, row in enumerate(rows):
        row["business_name"] = draw.choice(["Acme Tools Ltd", "Acme Tool Limited", "Northwind Trading", None])
        row["address"] = {"address1": f"{k % 9} High Street", "city": draw.choice(["Leeds", "York", None])}
        row["attributes"] = [{"key": "tier", "value": draw.choice(["gold", "silver"])}]
        if k % 4 == 0:
            row["attributes"].append({"key": "loyalty", "value": f"L{draw.randint(100, 900)}"})
    return rows


def domain(frame, rows, seed):
    return conform(frame(shared(rows, random.Random(seed))), PROFILES)


def two_sources(count, seed):
    """Two files poured into one: contacts without addresses, customers without e-mails."""
    rows = people(count, seed)
    for k, row in enumerate(rows):
        if k % 2:
            row |= {"email_address": None, "gender_string": "f", "account_number": f"{k // 2}{seed}77"}
        else:
            row |= {"phone_number": None}
    return rows


@pytest.fixture(scope="module", params=["all pairs", "keys", "learned keys", "small blocks", "sources"])
def start(request, rules, frame):
    """A domain, rules under which it is blocked in some way, and the state of a full run."""
    changes = {
        "all pairs": {},
        "keys": {"all_pairs_up_to": 50},
        "learned keys": {"all_pairs_up_to": 50, "learn_above": 60, "learn_from": 100},
        "small blocks": {"all_pairs_up_to": 50, "largest_block": 3},
        "sources": {"all_pairs_up_to": 50},
    }[request.param]
    own = rules.model_copy(update={"blocking": rules.blocking.model_copy(update=changes)})
    rows = people(150)
    if request.param == "sources":
        own = own.model_copy(update={"estimation": own.estimation.model_copy(update={"smallest_part": 30})})
        rows = two_sources(150, 5)
    profiles = domain(frame, rows, 2)
    first = link_profiles(profiles, own, NOBODY, silent)
    trained = trained_by(first.answer, own)
    return profiles, own, first, state_of(profiles, own, first, (trained, NOBODY))


def changed(profiles, draw, frame, name):
    """Some profiles deleted, some with another's values, some new, in another order."""
    count = draw.choice([1, 3, 12])
    ids = profiles["profile_id"].to_list()
    gone = set(draw.sample(ids, draw.choice([0, count])))
    kept = profiles.filter(~pl.col("profile_id").is_in(sorted(gone)))
    source = list(range(kept.height))
    for _ in range(draw.choice([0, count])):
        source[draw.randrange(kept.height)] = draw.randrange(kept.height)
    field = draw.choice(["phone_number", "email_address", "last_name", "birth_date", "business_name"])
    edited = kept.with_columns(kept[field].gather(source))
    fresh = domain(frame, people(count, draw.randrange(40))[:count], draw.randrange(99))
    copied = profiles[draw.randrange(profiles.height)]
    new = pl.concat([fresh, copied], how="diagonal").with_columns(
        pl.Series("profile_id", [f"{name}-{k}" for k in range(count + 1)])
    )
    together = pl.concat(
        [edited, new.select(edited.columns)] if set(edited.columns) <= set(new.columns) else [edited, new],
        how="diagonal",
    )
    return (
        together.sample(fraction=1, shuffle=True, seed=draw.randrange(99))
        if draw.random() < 0.5
        else together
    )


def spoken(explained):
    """An explanation, whichever of the two profiles stands on the left."""
    lines = [replace(x, left=max(x.left, x.right), right=min(x.left, x.right)) for x in explained.evidence]
    return replace(explained, evidence=tuple(lines))


def printed(profiles):
    return profiles, Fingerprints.of(profiles)


def test_the_model_of_a_run_gives_its_answer_again(start):
    profiles, rules, first, state = start
    again = link_again(profiles, rules, (NOBODY, state.trained), silent)
    assert again.clusters.equals(first.clusters)
    assert again.pairs.equals(first.pairs)


def test_nothing_changed_nothing_is_looked_at(start):
    profiles, rules, first, state = start
    told = {}
    linkage, following = link_changes(
        printed(profiles), rules, (NOBODY, state), lambda stage, facts: told.update({stage: facts})
    )
    assert told["changes"]["changed"] == told["cluster"]["profiles"] == 0
    assert linkage.clusters.equals(first.clusters)
    assert linkage.pairs.equals(first.pairs)
    assert following.figures == state.figures


@pytest.mark.parametrize("seed", range(CAMPAIGN))
def test_what_changed_and_its_neighbours_give_the_answer_of_a_full_run(start, frame, seed):
    profiles, rules, _, state = start
    draw = random.Random(seed)
    decisions = NOBODY
    for step in range(3):
        profiles = changed(profiles, draw, frame, f"n{step}")
        if draw.random() < 0.5:
            ids = profiles["profile_id"].to_list()
            pairs = [
                (*sorted(draw.sample(ids, 2)), draw.choice(["match", "non_match", "unsure"]))
                for _ in range(4)
            ]
            decisions = decided(*pairs)
        full = link_again(profiles, rules, (decisions, state.trained), silent)
        linkage, state = link_changes(printed(profiles), rules, (decisions, state), silent)
        assert linkage.clusters.equals(full.clusters)
        assert linkage.pairs.equals(full.pairs)
        explained = sorted(draw.sample(profiles["profile_id"].to_list(), 4))
        told = readable(linkage, profiles, rules, (state, explained))
        pair = explained[0], explained[1]
        assert spoken(explain_pair(told, profiles, pair)) == spoken(explain_pair(full, profiles, pair))


def test_a_block_that_grows_too_large_and_shrinks_again_loses_and_regains_its_pairs(rules, frame):
    blocking = rules.blocking.model_copy(update={"all_pairs_up_to": 10, "largest_block": 3})
    own = rules.model_copy(update={"blocking": blocking})
    rows = people(60)
    for row in rows[:2]:
        row["phone_number"] = "+12025550000"
    profiles = conform(frame(rows), PROFILES)
    first = link_profiles(profiles, own, NOBODY, silent)
    state = state_of(profiles, own, first, (trained_by(first.answer, own), NOBODY))
    crowd = pl.concat([profiles, conform(frame([
        {"profile_id": f"x{k}", "first_name": FIRST[k], "last_name": f"Other{k}", "birth_date": "1950-01-01",
         "phone_number": "+12025550000", "email_address": None} for k in range(4)]), PROFILES)])  # fmt: skip
    for now in (crowd, profiles):
        full = link_again(now, own, (NOBODY, state.trained), silent)
        linkage, state = link_changes(printed(now), own, (NOBODY, state), silent)
        assert linkage.pairs.equals(full.pairs)
        assert linkage.clusters.equals(full.clusters)
    assert linkage.pairs.equals(first.pairs)


def test_a_state_of_another_time_is_not_gone_on_from(start):
    _, _, _, state = start
    size = state.trained.profiles
    assert outgrown(size, state) is None
    assert "learned from" in str(outgrown(3 * size, state))
    assert "no two profiles" in str(outgrown(1, state))
    stale = State(**{**{k: getattr(state, k) for k in state.__dataclass_fields__}, "changed": size})
    assert "have changed" in str(outgrown(size, stale))
