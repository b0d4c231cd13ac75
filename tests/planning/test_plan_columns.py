"""Columns plan what the careful path plans: the slow, obvious twin is ``plan_group``."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import phonenumbers
import polars as pl
import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st
from planning_cases import (
    NOW,
    SOAK,
    Rules,
    clusters_frame,
    draw_profile,
    draw_rules,
    objects_frame,
    profiles_frame,
)

from resolver.model.domain_facts import DomainFacts
from resolver.model.frames import MATCH_GROUPS
from resolver.model.profile import EMAILS, PHONES
from resolver.model.survivorship_policy import Merging, Preservation, SecondOpinion
from resolver.planning import bands, likeness_columns, plan_columns, sheet
from resolver.planning import plans as planning
from resolver.planning.group_plan import Planner
from resolver.planning.groups import group_clusters
from resolver.planning.likeness import likeness
from resolver.planning.likeness_columns import likenesses, valid_emails, valid_phones
from resolver.planning.plans import in_its_region, plan_groups, plan_merges
from resolver.planning.preferences import references
from resolver.planning.validity import valid_email, valid_phone

if TYPE_CHECKING:
    from resolver.model.profile import Profile

#: Texts that case rules, digits, blanks and JSON treat in their own ways.
HOSTILE = (
    '"', "\\", "\n", "\x1f", "\x00", " ", "\u00a0", "  a\tb ", "A_b-C", "\u017f", "ß", "SS", "ss", "İ", "i̇",
    "\u0131", "٣", "3", "²", "\u200b", "é", "e\u0301", "🙂", "...", "_-_", "\x7f", '","x":"', "null", "0",
    "+", "ext",
)  # fmt: skip
NUMBERS = (
    "+1 206 345 7890", "1 206 345 7890", "(206) 345-7890", "206.345.7890 ext 5", "206 345 7890x5",
    "00442079460123",
    "+44 20 7946 0123", "020 7946 0123", "+٣٣ 1", "0000000", "12", "(+44) 2079460123",
    " +12063457890", "\u00a0+1206",
)  # fmt: skip
#: What may stand before a number and its country code.
BEFORE = ("+", "", "00", "(+", "(00)", " +", "0", "0 0", "+00")
MAILS = (
    "a@x.io",
    " A@X.IO ",
    "a@x.io\n",
    "a@example.com",
    "ß@x.io",
    "SS@x.io",
    "a b@x.io",
    "a@x",
    "İ@x.io",
    "\x1fa@x.io",
)
DATES = (
    "1980-01-02",
    "2/1/1980",
    "02011980",
    "19800102",
    "2 Jan 1980",
    "1980-01-02T00:00:00Z",
    "٢/1/1980",
    "0",
    "...",
)


@dataclass(frozen=True)
class Domain:
    """Clusters to be planned in both ways."""

    profiles: pl.DataFrame
    clusters: pl.DataFrame
    rules: Rules
    facts: DomainFacts
    largest: int
    most_keys: int


def spoil(rng: random.Random, profile: Profile) -> Profile:
    """The profile with some values that are written in odd ways."""
    for name, value in list(profile.items()):
        if name in ("ProfileId", "EngagementPreferences") or rng.random() < 0.7:
            continue
        if isinstance(value, dict):
            profile[name] = {part: rng.choice(HOSTILE) + text[:40] for part, text in value.items()}
        elif name in PHONES:
            profile[name] = rng.choice(NUMBERS)
        elif name in EMAILS:
            profile[name] = rng.choice(MAILS)
        elif name == "BirthDate":
            profile[name] = rng.choice(DATES)
        elif name != "ProfileType":
            profile[name] = rng.choice(
                [rng.choice(HOSTILE), rng.choice(HOSTILE) + value, rng.choice((value, ""))]
            )
    return profile


def draw_domain(seed: int, clusters: int) -> Domain:
    """Clusters of one to three cores, by rules that columns may plan by, mostly."""
    rng = random.Random(seed)
    drawn: list[list[list[str]]] = []
    profiles: list[Profile] = []
    for number in range(clusters):
        fill, variety = rng.choice([0.1, 0.3, 0.6, 0.9]), rng.choice([1, 2, 4])
        cores = []
        for core in range(rng.choice([1, 1, 1, 2, 3])):
            size = rng.choice([1, 2, 2, 2, 3, 3, 5, 9, 21, 22] if rng.random() < 0.3 else [2, 2, 3])
            made = [draw_profile(rng, (seed, number, core, n), fill, variety) for n in range(size)]
            if rng.random() < 0.95:  # else the careful path takes the group
                for profile in made:
                    for name in ("EngagementPreferences", "PartyTypeString", "GenderString"):
                        profile.pop(name, None)
            if rng.random() < 0.03:
                made[0]["ProfileType"] = "ACCOUNT_PROFILE"
            profiles += [spoil(rng, p) if rng.random() < 0.5 else p for p in made]
            cores.append([p["ProfileId"] for p in made])
        drawn.append(cores)
    ids = [p["ProfileId"] for p in profiles]
    rows: list[tuple[Any, ...]] = []
    for name in ids if rng.random() < 0.6 else []:
        for _ in range(rng.choice([0, 0, 1, 3])):
            when = NOW - timedelta(days=rng.randrange(900)) if rng.random() < 0.8 else None
            key = str(rng.randrange(4 * len(ids)) if rng.random() < 0.02 else len(rows))
            rows.append((name, rng.choice(["crm", "web"]), key, "x" * rng.randrange(2_000), when))
    seen = {i: NOW - timedelta(days=rng.randrange(90)) for i in ids if rng.random() < 0.4}
    groups = [
        (f"g{n}", i, *((0.9, None), (None, 2))[n % 2])
        for n in range(3)
        for i in rng.sample(ids, min(len(ids), 3))
    ]
    facts = DomainFacts(
        rng.choice([None, "d"]),
        pl.DataFrame(groups, schema=MATCH_GROUPS.columns, orient="row"),
        NOW - timedelta(days=1) if rng.random() < 0.7 else None,
        objects_frame(rows),
        NOW,
    )
    flags = [rng.random() < 0.2 for _ in ids]
    frame = clusters_frame(*drawn, contested=pl.Series(flags), bridge_held=pl.Series(reversed(flags)))
    bands = [rng.choice(["merge", "merge", "review", "distinct"]) for _ in ids]
    frame = frame.with_columns(pl.Series("band", bands, dtype=frame.schema["band"]))
    return Domain(
        profiles_frame(profiles, seen),
        frame,
        some_rules(rng),
        facts,
        rng.choice([2_500, *[256_000] * 5]),
        rng.choice([4, 256, 256]),
    )


def some_rules(rng: random.Random) -> Rules:
    """Rules drawn at random, of which columns plan by most."""
    rules = draw_rules(rng)
    survivorship = rules.survivorship
    fields = tuple(survivorship.fields)
    protected = tuple(rng.sample(fields, min(len(fields), 3)))
    kept = {f: s for f, s in survivorship.fields.items() if s != "never" or rng.random() < 0.3}
    return Rules(
        survivorship=survivorship.model_copy(
            update={
                "fields": kept,
                "protected": tuple(f for f in protected if f in kept),
                "source_priority": rng.choice([(), ("crm",), ("web", "crm")]),
            }
        ),
        merging=Merging(
            allow=rng.choice([(), ("contested",), ("protected_value_given_up",)]),
            max_profiles=rng.choice([2, 20, 30]),
            max_objects=rng.choice([10, *[1_000] * 4]),
            max_size_kb=rng.choice([5, *[51_200] * 4]),
        ),
        second_opinion=SecondOpinion(policy=rng.choice(["evidence", "require_agreement", "ignore"])),
        preservation=Preservation(
            search_keys=rng.random() < 0.6,
            free_slots=rng.random() < 0.05,
            attribute_prefix=rng.choice([None] * 19 + ["old_"]),
        ),
        default_region=rng.choice([None, "US", "GB"]),
    )


def in_both_ways(domain: Domain, monkeypatch: pytest.MonkeyPatch) -> tuple[Any, Any, int]:
    """PLANS and FIELD_CHOICES in columns and one by one, and how many groups columns planned."""
    rules, facts = domain.rules, domain.facts
    groups = group_clusters(domain.clusters, facts, rules.second_opinion)
    planner = Planner(rules, rules.fingerprint, facts, in_its_region(rules), {}, references(domain.profiles))
    taken = []
    made = planning.plan_columns

    def counted(*arguments: Any) -> Any:
        drawn = made(*arguments)
        taken.append(int(drawn.done.sum()))
        return drawn

    with monkeypatch.context() as patch:
        patch.setattr(planning, "plan_columns", counted)
        patch.setattr(planning, "BATCH", 7)
        patch.setattr(sheet, "MOST_KEYS", domain.most_keys)
        for module in (bands, plan_columns):
            patch.setattr(module, "MAX_PROFILE_BYTES", domain.largest)
        fast = plan_groups(planner, domain.profiles, groups, few=-1)
        slow = plan_groups(planner, domain.profiles, groups, few=groups.height)
    return fast, slow, sum(taken)


@pytest.mark.soak
@pytest.mark.timeout(3_600)
@settings(max_examples=1_500 if SOAK else 40)
@given(seed=st.integers(0, 10**9), clusters=st.integers(1, 25))
def test_columns_and_the_careful_path_make_the_same_plans(seed, clusters):
    domain = draw_domain(seed, clusters)
    with pytest.MonkeyPatch.context() as monkeypatch:
        fast, slow, taken = in_both_ways(domain, monkeypatch)
    event(f"columns planned {'some' if taken else 'none'}")
    for name in slow[0].columns:
        assert fast[0][name].to_list() == slow[0][name].to_list(), name
    assert fast[0].equals(slow[0])
    assert fast[1].to_dicts() == slow[1].to_dicts()


def test_columns_plan_most_of_what_is_drawn_or_the_comparison_says_little(monkeypatch):
    planned = there = 0
    fates = set()
    for seed in range(8):
        domain = draw_domain(seed, 12)
        fast, _, taken = in_both_ways(domain, monkeypatch)
        planned, there = planned + taken, there + fast[0].height
        fates |= set(fast[0]["disposals"].str.extract_all('"fate":"[a-z_]*"').explode().drop_nulls())
    assert planned > 0.5 * there
    assert {text.split('"')[3] for text in fates} == {"kept", "key", "given_up"}


@pytest.mark.parametrize("field", ["FirstName", "BirthDate", *PHONES[:1], *EMAILS[:1]])
def test_texts_are_alike_in_columns_where_they_are_alike_one_by_one(field):
    rng = random.Random(field)
    texts = [*HOSTILE, *NUMBERS, *MAILS, *DATES]
    texts += ["".join(rng.choices((*HOSTILE, "a", "B", "1", "-"), k=rng.randint(1, 5))) for _ in range(3_000)]
    made = likenesses(field, pl.Series(texts)).to_list()
    one_by_one = {}
    for text, like in zip(texts, made, strict=True):
        assert one_by_one.setdefault(likeness(field, text), like) == like
    assert len(set(one_by_one.values())) == len(one_by_one)


@pytest.mark.parametrize("worth", [1, 2_000])
@pytest.mark.parametrize("region", [None, "US", "GB", "ZZ"])
def test_texts_are_valid_in_columns_where_they_are_valid_one_by_one(region, worth, monkeypatch):
    monkeypatch.setattr(likeness_columns, "_WORTH_A_PATTERN", worth)
    rng = random.Random(1)
    texts = [*HOSTILE, *NUMBERS, *MAILS]
    texts += [
        f"{rng.choice(BEFORE)}{rng.choice((example.country_code, ''))}{rng.choice(('', '0', '1'))}"
        f"{example.national_number}{rng.choice(('', '', '7'))}"
        for home in rng.sample(sorted(phonenumbers.SUPPORTED_REGIONS), 40)
        for example in [phonenumbers.example_number(home)] * 40
        if example is not None
    ]
    texts += [
        "".join(rng.choices((*"0123456789+ ()-x", "ext", "٣", "\n"), k=rng.randint(1, 16)))
        for _ in range(5_000)
    ]
    texts += [
        "".join(rng.choices(("a", "B", "@", ".", "x.io", "-", " ", "é", "\n", ".test"), k=rng.randint(1, 7)))
        for _ in range(5_000)
    ]
    assert valid_phones(pl.Series(texts), region).to_list() == [valid_phone(t, region) for t in texts]
    assert valid_phones(pl.Series(texts), region).sum() > 100
    assert valid_emails(pl.Series(texts)).to_list() == [valid_email(t) for t in texts]
    assert any(map(valid_email, texts))


def test_a_large_run_is_planned_as_a_small_one_is(monkeypatch):
    domain = draw_domain(5, 20)
    small = plan_merges(domain.profiles, domain.clusters, domain.rules, domain.facts)
    monkeypatch.setattr(planning, "FEW", 0)
    large = plan_merges(domain.profiles, domain.clusters, domain.rules, domain.facts)
    assert small.table.equals(large.table)
    assert small.field_choices.equals(large.field_choices)
    assert replace(small, second_opinion=small.table).plans == large.plans
