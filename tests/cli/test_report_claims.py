"""Every claim of a run's report recomputed from the domain's content, over boto3 and by plain Python.

Nothing of resolver's own counting is used: the domain is read before and after each run, calls are counted
where they arrive, and whether a value is still found is asked of the service's own search. Two runs: one that
merges what is new, and one after people have decided some pairs. A section that no test here claims fails.
"""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from html.parser import HTMLParser
from itertools import combinations

import boto3
import polars as pl
import pytest
from botocore import xform_name
from scipy.stats import beta

from resolver.cli import main
from resolver.cli.job import default_ledger
from resolver.ledger.ledger import open_ledger
from resolver.local.admin import load_objects_over_http, load_over_http, run_matching_job_over_http
from resolver.local.sample.generator import OBJECT_TYPES, make_sample
from resolver.local.server import running
from resolver.local.service import Service
from resolver.local.store import Store
from resolver.model.decision import Decision, Verdict
from resolver.profiles.domain import ConnectionSettings, Domain, connect

SHOP = "shop"
PHONES = ("PhoneNumber", "MobilePhoneNumber", "HomePhoneNumber", "BusinessPhoneNumber")
EMAILS = ("EmailAddress", "PersonalEmailAddress", "BusinessEmailAddress")
ADDRESSES = ("Address", "ShippingAddress", "MailingAddress", "BillingAddress")
KEYS = {"_phone": PHONES, "_email": EMAILS, "_account": ("AccountNumber",)}
KINDS = {"phones": "_phone", "e-mails": "_email"}
#: Sections that say which run it was and how it went about, nothing of the domain.
HOW = {"schema_version", "run_id", "domain", "at", "rule_set", "stages", "ledger", "linked", "blocking"}
#: rules/default.toml, in bits.
MATCH, MERGE = 2.0, 7.0


@dataclass
class Told:
    """One run: its report and page, the domain before and after it, and what arrived at the service."""

    report: dict
    page: dict
    out: object
    before: dict
    after: dict
    found_before: dict  # (key, value as written) → ids that a search gives
    found_after: dict
    groups: dict  # MatchId → ids
    calls: Counter
    merges: list  # (main, merged ids) in the order of arrival
    decisions: list = field(default_factory=list)
    into: dict = field(default_factory=dict)  # merged away before this run → survivor

    @cached_property
    def ids(self):
        return set(pl.read_parquet(self.out / "profiles.parquet")["profile_id"])

    @cached_property
    def clusters(self):
        """Cluster id → its profiles."""
        found = defaultdict(set)
        for row in pl.read_parquet(self.out / "clusters.parquet").iter_rows(named=True):
            found[row["cluster_id"]].add(row["profile_id"])
        return found

    @cached_property
    def plans(self):
        return [json.loads(line) for line in (self.out / "plans.jsonl").read_text().splitlines()]


class Cells(HTMLParser):
    """The numbers of the page by the name of their cell."""

    def __init__(self):
        super().__init__()
        self.found, self._name = {}, None

    def handle_starttag(self, tag, attributes):  # noqa: ARG002 - the parser's signature
        self._name = dict(attributes).get("data-figure")

    def handle_data(self, data):
        if self._name:
            self.found[self._name] = None if data == "–" else int(data.replace(",", ""))
            self._name = None


class Counting(Service):
    """Counts what arrives, and keeps whom merges name."""

    def __init__(self, store):
        super().__init__(store)
        self.calls, self.merges = Counter(), []

    def finish(self, call, *limit):
        answer = super().finish(call, *limit)
        self.calls[xform_name(call.request.operation)] += 1
        if call.request.operation == "MergeProfiles" and answer.status == 200:
            asked = json.loads(call.http.body)
            self.merges.append((asked["MainProfileId"], asked["ProfileIdsToBeMerged"]))
        return answer


def survivors_of(merges):
    into = {}
    for main_id, merged in merges:
        into.update(dict.fromkeys(merged, main_id))
    return {i: _last(i, into) for i in into}


def _last(profile_id, into):
    while profile_id in into:
        profile_id = into[profile_id]
    return profile_id


def read_all(client, ids):
    """Every profile of the domain that is still there."""
    found = {}
    ids = sorted(ids)
    for start in range(0, len(ids), 20):
        answer = client.batch_get_profile(DomainName=SHOP, ProfileIds=ids[start : start + 20])
        found.update((p["ProfileId"], p) for p in answer["Profiles"])
    return found


def search_all(client, profiles):
    """Whom the service finds by each phone number, mailbox and account number that any profile has."""
    found = {}
    for key, fields in KEYS.items():
        for value in {p[name] for p in profiles.values() for name in fields if name in p}:
            answer = client.search_profiles(DomainName=SHOP, KeyName=key, Values=[value], MaxResults=100)
            found[key, value] = frozenset(p["ProfileId"] for p in answer["Items"])
    return found


def groups_of(client):
    answer = client.get_matches(DomainName=SHOP, MaxResults=100)
    groups = {m["MatchId"]: set(m["ProfileIds"]) for m in answer["Matches"]}
    while token := answer.get("NextToken"):
        answer = client.get_matches(DomainName=SHOP, MaxResults=100, NextToken=token)
        groups |= {m["MatchId"]: set(m["ProfileIds"]) for m in answer["Matches"]}
    return groups


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Two runs of one domain, the second after decisions."""
    folder = tmp_path_factory.mktemp("claims")
    with pytest.MonkeyPatch.context() as patch:
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            patch.setenv(name, "test")
        patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        patch.setenv("XDG_STATE_HOME", str(folder / "state"))
        return two_runs(folder)


def two_runs(folder):
    store = Store.open(None)
    service = Counting(store)
    sample = make_sample(220, seed=4)
    ids = {profile["ProfileId"] for profile in sample.profiles}
    with running(service) as url:
        client = boto3.client("customer-profiles", endpoint_url=url)
        client.create_domain(DomainName=SHOP, DefaultExpirationDays=366, Matching={"Enabled": True})
        for name, definition in OBJECT_TYPES.items():
            client.put_profile_object_type(DomainName=SHOP, ObjectTypeName=name, **definition)
        load_over_http(url, SHOP, sample.profiles)
        load_objects_over_http(url, SHOP, sample.objects)
        keys = folder / "keys.csv"
        pl.DataFrame(sample.keys, schema=["key_name", "value"], orient="row").write_csv(keys)
        told, decided, merged = [], [], []
        for number in (1, 2):
            run_matching_job_over_http(url, SHOP)
            before, groups = read_all(client, ids), groups_of(client)
            found = search_all(client, before)
            service.calls.clear()
            service.merges.clear()
            out = folder / f"run{number}"
            arguments = [
                "run",
                "--domain",
                SHOP,
                "--endpoint-url",
                url,
                "--keys",
                keys,
                "--out",
                out,
                "--apply",
            ]
            arguments += ["--calls-per-second", 0, "--merges-per-second", 0, "--quiet"]
            with pytest.raises(SystemExit) as left:
                main([str(a) for a in arguments])
            assert not left.value.code
            calls, merges = Counter(service.calls), list(service.merges)
            cells = Cells()
            cells.feed((out / "report.html").read_text())
            one = Told(
                report=json.loads((out / "report.json").read_text()),
                page=cells.found,
                out=out,
                before=before,
                after=read_all(client, ids),
                found_before=found,
                found_after=search_all(client, before),
                groups=groups,
                calls=calls,
                merges=merges,
                decisions=list(decided),
                into=survivors_of(merged),
            )
            told.append(one)
            merged += merges
            if number == 1:
                decided = decide(one, url)
    store.close()
    return told


def decide(told, url):
    """Verdicts on pairs that the run left for a person, and two that contradict each other."""
    there = set(told.after)
    pairs = pl.read_parquet(told.out / "pairs.parquet").sort("match_weight", descending=True)
    left = [
        (row["profile_id_left"], row["profile_id_right"], row["match_weight"])
        for row in pairs.iter_rows(named=True)
        if {row["profile_id_left"], row["profile_id_right"]} <= there
    ]
    high = [pair for pair in left if pair[2] >= MERGE][:4]
    low = [pair for pair in left if MATCH <= pair[2] < MERGE][:4]
    made = {frozenset(pair[:2]): "match" for pair in (*high[:3], *low[:2])}
    made |= {frozenset(pair[:2]): "non_match" for pair in (*high[3:], *low[2:])}
    used = set().union(*made)
    a, b, c = [i for i in sorted(there & told.ids) if i not in used][:3]
    made |= dict.fromkeys((frozenset((a, b)), frozenset((b, c))), "match") | {frozenset((a, c)): "non_match"}
    now = datetime.now(UTC)
    verdicts = [
        Decision(*sorted(pair), Verdict(verdict), "ana", "", "seen", now) for pair, verdict in made.items()
    ]
    address = default_ledger(Domain(SHOP, connect(ConnectionSettings(url, "us-east-1"))), None)
    with open_ledger(address) as ledger:
        ledger.record_decisions(SHOP, verdicts)
    return [(*sorted(pair), verdict) for pair, verdict in made.items()]


@pytest.fixture(params=[0, 1], ids=["first", "second"])
def told(runs, request):
    return runs[request.param]


#: Each section that a test recomputes, and its entries: a new one that no test knows is seen.
CLAIMED = dict.fromkeys(HOW, "")


def claims(section, entries=""):
    """Marks the section that a test recomputes, with the names of all its entries."""
    CLAIMED[section] = entries
    return lambda test: test


@claims("profiles", "found in_domain completeness routes calls")
def test_profiles_and_calls(told):
    claim = told.report["profiles"]
    assert told.ids <= set(told.before)
    assert claim["found"] == len(told.ids) > 100
    assert claim["in_domain"] == len(told.before)
    assert claim["completeness"] == pytest.approx(len(told.ids) / len(told.before), abs=5e-4)
    assert sum(claim["routes"].values()) == len(told.ids)
    assert claim["calls"] == dict(told.calls)
    assert told.page["profiles"] == len(told.ids)
    assert {k.removeprefix("calls-"): n for k, n in told.page.items() if k.startswith("calls-")} == told.calls


def test_everything_that_a_key_of_a_found_profile_finds_was_read(told):
    for (key, value), found in told.found_before.items():
        holders = [p for i, p in told.before.items() if i in told.ids]
        if any(p.get(name) == value for p in holders for name in KEYS[key]):
            assert found <= told.ids, (key, len(found))


@claims("objects", "objects profiles types types_left_out calls profiles_spared")
def test_objects(told):
    objects = pl.read_parquet(told.out / "objects.parquet")
    claim = told.report["objects"]
    assert claim["objects"] == objects.height > 0
    assert set(claim["types"]) == set(OBJECT_TYPES)
    assert (claim["types_left_out"], claim["profiles_spared"]) == ([], 0)
    members = {i for ids in told.clusters.values() if len(ids) > 1 for i in ids}
    assert claim["profiles"] == len(members & told.ids)
    assert set(objects["profile_id"]) <= members
    listed = [p for p in told.calls if p in ("list_profile_objects", "get_profile_object_type")]
    assert 0 < claim["calls"] <= sum(told.calls[p] for p in listed)


@claims("pairs", "candidates per_profile by_band")
def test_pairs(told):
    pairs = pl.read_parquet(told.out / "pairs.parquet")
    claim = told.report["pairs"]
    assert claim["candidates"] == pairs.height
    assert claim["per_profile"] == round(pairs.height / len(told.ids), 2)
    assert sum(claim["by_band"].values()) == pairs.height
    assert claim["by_band"] == dict(Counter(pairs["band"].to_list()))
    table = pl.read_parquet(told.out / "clusters.parquet")
    home = {row["profile_id"]: (row["cluster_id"], row["core_id"]) for row in table.iter_rows(named=True)}
    for row in pairs.iter_rows(named=True):
        left, right = home[row["profile_id_left"]], home[row["profile_id_right"]]
        assert (row["band"] == "merge") == (left == right), "merge: the two are in one core"
        assert row["band"] != "distinct" or left[0] != right[0], "in one cluster: for a person at least"


@claims("clusters", "customers of_two_or_more profiles_in_them by_band by_size")
def test_clusters(told):
    sizes = [len(ids) for ids in told.clusters.values()]
    several = [size for size in sizes if size > 1]
    claim = told.report["clusters"]
    assert sum(sizes) == len(told.ids)
    assert claim["customers"] == len(sizes) == told.page["customers"]
    assert claim["of_two_or_more"] == len(several) == sum(claim["by_band"].values())
    assert claim["profiles_in_them"] == sum(several) == told.page["shared"]
    assert claim["by_size"] == {str(size): n for size, n in sorted(Counter(several).items())}
    bands = defaultdict(set)
    for row in pl.read_parquet(told.out / "clusters.parquet").iter_rows(named=True):
        bands[row["cluster_id"]].add(row["band"])
    counted = Counter(next(iter(bands[i])) for i, ids in told.clusters.items() if len(ids) > 1)
    assert all(len(found) == 1 for found in bands.values())
    assert claim["by_band"] == {band: counted[band] for band in claim["by_band"]}
    assert all(told.page[f"band-{band}"] == n for band, n in claim["by_band"].items())


@claims("plans", "merge review profiles_merged_away values_given_up review_reasons")
def test_plans_and_the_values_that_are_given_up(told):
    ready = [plan for plan in told.plans if plan["band"] == "merge"]
    claim = told.report["plans"]
    assert claim["merge"] == len(ready) == told.page["plans-merge"]
    assert claim["review"] == len(told.plans) - len(ready) == told.page["plans-review"]
    assert claim["profiles_merged_away"] == sum(len(plan["merged_profile_ids"]) for plan in ready)
    reasons = Counter(r for plan in told.plans if plan["band"] == "review" for r in plan["reasons"])
    assert claim["review_reasons"] == dict(reasons)
    done = {merge["plan_id"] for merge in told.report["apply"]["undo"]}
    assert done == {plan["plan_id"] for plan in ready}, "each was carried out, so that its losses can be seen"
    assert claim["values_given_up"] == sum(len(lost(told, plan)) for plan in ready)


def lost(told, plan):
    """(field, value) of a plan's members that is nowhere in the domain after it was carried out."""
    ids = [plan["main_profile_id"], *plan["merged_profile_ids"]]
    survivor = told.after[plan["main_profile_id"]]
    values = {
        (name, json.dumps(value, sort_keys=True)) for i in ids for name, value in flat(told.before[i]).items()
    }
    return {(name, text) for name, text in values if not kept(told, survivor, name, json.loads(text))}


def flat(profile):
    attributes = {f"Attributes.{k}": v for k, v in profile.get("Attributes", {}).items()}
    return {k: v for k, v in profile.items() if k not in ("ProfileId", "Attributes")} | attributes


def kept(told, survivor, name, value):
    held = flat(survivor)
    if held.get(name) == value:
        return True
    if name in ADDRESSES:
        block = held.get(name, {})
        return value.items() <= block.items() or any(held.get(other) == value for other in ADDRESSES)
    kind = next((fields for fields in (PHONES, EMAILS) if name in fields), ())
    if any(held.get(other) == value for other in kind):
        return True
    key = next((key for key, fields in KEYS.items() if name in fields), None)
    return key is not None and survivor["ProfileId"] in told.found_after[key, value]


@claims("second_opinion", "groups by_rules relations age_days")
def test_what_amazon_connect_says(told):
    claim = told.report["second_opinion"]
    groups = [ids & told.ids for ids in told.groups.values()]
    groups = [ids for ids in groups if len(ids) > 1]
    assert claim["groups"] == len(groups)
    assert claim["by_rules"] == 0
    relations = Counter()
    for ids in told.clusters.values():
        if len(ids) > 1:
            relations[relation(ids, groups)] += 1
    several = [ids for ids in told.clusters.values() if len(ids) > 1]
    relations["aws_only"] += sum(not any(group & ids for ids in several) for group in groups)
    assert claim["relations"] == {name: n for name, n in relations.items() if n}
    assert all(told.page[f"opinion-{name}"] == n for name, n in claim["relations"].items())
    assert 0 <= claim["age_days"] < 1


def relation(ours, groups):
    touching = [group for group in groups if group & ours]
    linked = max((len(group & ours) for group in touching), default=0)
    others = any(group - ours for group in touching)
    if not touching or (linked < 2 and not others):
        return "ours_only"
    if linked == len(ours):
        return "joined" if others else "same"
    return "differently" if others else "split"


@claims("ambiguous_keys", "phones e-mails")
def test_callers_that_find_several_profiles(told):
    for kind, key in KINDS.items():
        mine = {
            value for i in told.ids for name in KEYS[key] if (value := told.before[i].get(name)) is not None
        }
        owners = {told.found_before[key, value] & told.ids for value in mine}
        spellings = len({spelled(key, value) for value in mine})
        claim = told.report["ambiguous_keys"][kind]
        assert claim["asked"] == spellings == told.page[f"{kind}-asked"]
        assert claim["before"] == ambiguous(told.found_before, key, mine) == told.page[f"{kind}-before"]
        assert claim["after"] == ambiguous(told.found_after, key, mine) == told.page[f"{kind}-after"]
        assert owners


def spelled(key, value):
    """One form for all spellings that a search takes for the same."""
    if key == "_email":
        return value.lower()
    digits = re.sub(r"\D", "", value)
    return digits.removeprefix("1") if value.strip().startswith("+1") and len(digits) == 11 else digits


def ambiguous(found, key, values):
    by_spelling = {spelled(key, value): found[key, value] for value in values}
    return sum(len(ids) > 1 for ids in by_spelling.values())


@claims(
    "apply",
    "plans by_result profiles_merged_away complete reached_limit stopped settled_from_an_earlier_run undo"
    " reasons",
)
def test_merges_done_and_the_undo_list(told):
    claim = told.report["apply"]
    gone = set(told.before) - set(told.after)
    assert claim["profiles_merged_away"] == len(gone) == told.page["merged-away"]
    applied = claim["by_result"].get("applied", 0)
    assert claim["plans"] == sum(claim["by_result"].values()) == applied
    assert told.page.get("result-applied", 0) == applied
    assert (applied > 0) == bool(gone)
    assert {i for _, merged in told.merges for i in merged} == gone
    plans = {plan["plan_id"]: plan for plan in told.plans}
    assert {m["plan_id"]: m["profiles_merged_away"] for m in claim["undo"]} == {
        plan_id: len(gone & set(plans[plan_id]["merged_profile_ids"]))
        for plan_id in (m["plan_id"] for m in claim["undo"])
    }
    assert sum(m["profiles_merged_away"] for m in claim["undo"]) == len(gone)
    assert claim["reasons"] == {}
    assert claim["complete"] is True
    assert (claim["reached_limit"], claim["stopped"], claim["settled_from_an_earlier_run"]) == (
        False,
        None,
        0,
    )


@claims("acceptance", "gate confidence patterns plans_held")
def test_no_bound_is_claimed_where_no_looks_are_asked_for(told):
    assert told.report["acceptance"] == {"gate": 0.0, "confidence": 0.95, "patterns": None, "plans_held": 0}


@claims("decisions", "pairs about_absent_profiles contradicted precision")
def test_decisions(told):
    claim = told.report["decisions"]
    assert claim["pairs"] == len(told.decisions)
    assert claim["about_absent_profiles"] == sum(not {a, b} <= told.ids for a, b, _ in told.decisions)
    assert set(claim["contradicted"]) == contradicted(told.decisions)
    weights = {
        frozenset((row["profile_id_left"], row["profile_id_right"])): row["match_weight"]
        for row in pl.read_parquet(told.out / "pairs.parquet").iter_rows(named=True)
    }
    expected = []
    for name, bar in (("match", MATCH), ("merge", MERGE)):
        said = [v for a, b, v in told.decisions if weights.get(frozenset((a, b)), -99.0) >= bar]
        if said:
            right, n = said.count("match"), len(said)
            low = beta.ppf(0.025, right, n - right + 1) if right else 0.0
            high = beta.ppf(0.975, right + 1, n - right) if right < n else 1.0
            expected.append((name, n, right / n, low, high))
    columns = ("threshold", "decided", "precision", "precision_low", "precision_high")
    stated = [tuple(row[c] for c in columns) for row in claim["precision"]]
    assert [row[:2] for row in stated] == [row[:2] for row in expected]
    for mine, its in zip(expected, stated, strict=True):
        assert its[2:] == pytest.approx(mine[2:])
    if told.decisions:
        assert len(stated) == 2, "both thresholds have decided pairs"
        assert told.page["decided"] == len(told.decisions)
        assert told.page["contradicted"] == len(claim["contradicted"]) == 3


def contradicted(decisions):
    """Everybody whom match verdicts join to one of a pair that a verdict parts."""
    groups = {i: {i} for a, b, _ in decisions for i in (a, b)}
    for a, b, verdict in decisions:
        if verdict == "match" and groups[a] is not groups[b]:
            groups[a] |= groups[b]
            for i in groups[b]:
                groups[i] = groups[a]
    return {i for a, b, v in decisions if v == "non_match" and groups[a] is groups[b] for i in groups[a]}


@claims("gate", "state compared_with breaches released_by release_reason figures")
def test_gate_figures(told, runs):
    figures = told.report["gate"]["figures"]
    count = len(told.ids)
    filled = Counter(
        re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()
        for i in told.ids
        for name, value in told.before[i].items()
        if name != "ProfileId" and value
    )
    rates = {f.removeprefix("fill_rate."): rate for f, rate in figures.items() if f.startswith("fill_rate.")}
    assert rates.keys() == {re.sub("_string$", "", name) for name in filled}
    for name, n in filled.items():
        assert rates[re.sub("_string$", "", name)] == pytest.approx(n / count, abs=1e-6), name
    sizes = [len(ids) for ids in told.clusters.values() for _ in ids]
    assert figures["profiles"] == count
    assert figures["match_rate"] == pytest.approx(sum(s > 1 for s in sizes) / count, abs=1e-6)
    assert figures["share_above_five"] == pytest.approx(sum(s > 5 for s in sizes) / count, abs=1e-6)
    assert figures["largest_cluster"] == max(sizes)
    assert figures["merged_away"] == len(told.into)
    assert figures["plans_ready"] == told.report["plans"]["merge"]
    assert figures["plans_review"] == told.report["plans"]["review"]
    removed = told.report["plans"]["profiles_merged_away"]
    assert figures["merges_per_profile"] == pytest.approx(removed / count, abs=1e-6)
    assert figures["pairs_per_profile"] == pytest.approx(
        told.report["blocking"]["candidate_pairs"] / count, abs=1e-6
    )
    for kind in KINDS:
        assert figures[f"ambiguous.{kind}"] == told.report["ambiguous_keys"][kind]["before"]
    known = {"profiles", "match_rate", "share_above_five", "largest_cluster", "merged_away", "plans_ready"}
    known |= {"plans_review", "merges_per_profile", "pairs_per_profile", *(f"ambiguous.{k}" for k in KINDS)}
    others = {f for f in figures if not f.startswith(("fill_rate.", "pairs_per_profile."))}
    assert others == known
    assert told.report["gate"]["state"] == "passed"
    earlier = runs[0].report["run_id"] if told is runs[1] else None
    assert told.report["gate"]["compared_with"] == earlier
    assert told.report["gate"]["breaches"] == []
    assert told.report["gate"]["released_by"] is told.report["gate"]["release_reason"] is None


@claims("lineage", "new joined split grown kept gone")
def test_lineage(told, runs):
    former = {}
    if told is runs[1]:
        for name, ids in runs[0].clusters.items():
            if len(ids) > 1:
                former |= dict.fromkeys({told.into.get(i, i) for i in ids}, name)
    places = defaultdict(set)
    for cluster, ids in told.clusters.items():
        for i in ids:
            if i in former:
                places[former[i]].add(cluster)
    counted = Counter()
    for ids in told.clusters.values():
        before = {former[i] for i in ids if i in former}
        if len(ids) > 1 or before:
            counted[change_of(before, ids - set(former), places)] += 1
    counted["gone"] = len(set(former.values()) - set(places))
    assert told.report["lineage"] == {c: counted[c] for c in told.report["lineage"]}
    assert all(told.page[f"lineage-{c}"] == n for c, n in told.report["lineage"].items())


def change_of(before, newcomers, places):
    if not before:
        return "new"
    if len(before) > 1:
        return "joined"
    if any(len(places[name]) > 1 for name in before):
        return "split"
    return "grown" if newcomers else "kept"


@claims("history")
def test_history(told, runs):
    so_far = runs[: runs.index(told) + 1]
    assert [run["run_id"] for run in told.report["history"]] == [run.report["run_id"] for run in so_far]
    for line, run in zip(told.report["history"], so_far, strict=True):
        figures = run.report["gate"]["figures"]
        assert line["state"] == run.report["gate"]["state"]
        assert line["figures"] == pytest.approx({name: figures[name] for name in line["figures"]}, abs=1e-6)


@claims("examples")
@claims("aws_only")
def test_examples_quote_real_pairs(told):
    pairs = {
        frozenset((row["profile_id_left"], row["profile_id_right"])): row["match_weight"]
        for row in pl.read_parquet(told.out / "pairs.parquet").iter_rows(named=True)
    }
    plans = {plan["plan_id"]: plan for plan in told.plans}
    quoted = [(e["plan_id"], link, link["why"]) for e in told.report["examples"] for link in e["links"]]
    assert quoted or not told.plans
    for plan_id, link, why in quoted:
        plan, ends = plans[plan_id], {link["left"], link["right"]}
        members = {plan["main_profile_id"], *plan["merged_profile_ids"]}
        assert ends <= members | told.clusters.get(plan["cluster_id"], set())
        if frozenset(ends) in pairs:
            assert float(why.split(" bits")[0]) == pytest.approx(pairs[frozenset(ends)], abs=0.051)
    linked = {frozenset(pair) for ids in told.groups.values() for pair in combinations(sorted(ids), 2)}
    together = {frozenset(pair) for ids in told.clusters.values() for pair in combinations(sorted(ids), 2)}
    for one in told.report["aws_only"]:
        ends = frozenset((one["left"], one["right"]))
        assert ends in linked
        assert ends not in together


def test_every_section_and_every_number_of_the_page_is_claimed_here(told):
    assert set(told.report) == set(CLAIMED)
    for section, entries in CLAIMED.items():
        if entries:
            assert set(told.report[section]) == set(entries.split()), section
    checked = {"profiles", "customers", "shared", "plans-merge", "plans-review", "merged-away"}
    checked |= {"result-applied", "decided", "contradicted"}
    families = ("calls-", "band-", "opinion-", "lineage-", "decided-", *(f"{kind}-" for kind in KINDS))
    assert {name for name in told.page if name not in checked and not name.startswith(families)} == set()
    for one in told.report["decisions"]["precision"]:
        assert told.page[f"decided-{one['threshold']}"] == one["decided"]
