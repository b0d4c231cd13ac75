"""A merge undone: every field, attribute, listed key and object as before, under new ids; nothing twice."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime, timedelta
from itertools import count

import pytest
from embedded import NAME, embedded, hurried, no_sleep, pid
from hypothesis import given, settings
from hypothesis import strategies as st
from merges import plan_of_group

from resolver.app import restoring
from resolver.app.applying import ApplyOptions, apply_plans
from resolver.app.calls import Result
from resolver.app.restoring import RestoreOptions, restore_merge
from resolver.errors import BadInput, Held, LedgerFailed, ServiceFailed
from resolver.ledger.ledger import open_ledger
from resolver.local.faults import Fault, Faults
from resolver.local.loading import load_objects, load_profiles
from resolver.local.service import Settings
from resolver.model.merge_plan import PostStep
from resolver.profiles.domain import Domain, describe_domain
from resolver.profiles.object_keys import keys_of_object
from resolver.profiles.reading import object_types, read_objects, read_profiles, search
from resolver.profiles.search_keys import SearchKey, keys_of

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
LATER = NOON + timedelta(days=1)
RUNS = count(1)
TYPES = {
    "Crm": {"crmId": ("id", "UNIQUE", "PROFILE")},
    "Calls": {"callId": ("id", "UNIQUE"), "_phone": ("phone", "PROFILE")},
    "Mails": {"mailId": ("id", "UNIQUE"), "_email": ("mail", "PROFILE"), "crmId": ("crm", "PROFILE")},
}
KINDS = {"phone": "PHONE_NUMBER", "mail": "EMAIL_ADDRESS"}

ANA = [
    {"ProfileId": pid(1), "FirstName": "Ana", "EmailAddress": "ana@x.io", "Attributes": {"a": "1"}},
    {
        "ProfileId": pid(2),
        "FirstName": "Anna",
        "PhoneNumber": "0800",
        "Gender": "FEMALE",
        "EmailAddress": "ana@x.io",
        "Address": {"City": "Oslo"},
        "Attributes": {"a": "2", "b": "3"},
    },
    {"ProfileId": pid(3), "LastName": "Ng", "AccountNumber": "a-3"},
]
OBJECTS = [
    (pid(1), "Mails", {"id": "m1", "mail": "ana@x.io"}),
    (pid(2), "Mails", {"id": "m2", "mail": "ana@x.io"}),
    (pid(2), "Crm", {"id": "c2"}),
    (pid(3), "Calls", {"id": "p3", "phone": "0900"}),
]


def define_types(domain):
    for name, keys in TYPES.items():
        fields = {field for field, *_ in keys.values()}
        domain.clients.read.put_profile_object_type(
            DomainName=domain.name,
            ObjectTypeName=name,
            Description=name,
            Fields={
                field: {"Source": f"_source.{field}", "ContentType": KINDS.get(field, "STRING")}
                for field in fields
            },
            Keys={
                key: [{"FieldNames": [field], "StandardIdentifiers": identifiers}]
                for key, (field, *identifiers) in keys.items()
            },
        )


def applied(run_id=None, **over):
    facts = {"actor": "ana", "clock": lambda: NOON, "settle_seconds": 0.3, "workers": 1}
    return ApplyOptions(run_id or f"run-{next(RUNS)}", **(facts | over))


def restored(**over):
    facts = {"actor": "bea", "clock": lambda: NOON, "apply": True, "settle_seconds": 0.3}
    return RestoreOptions(f"run-{next(RUNS)}", **(facts | over))


def state_of(domain, ids, keys):
    """Profiles, objects and which key finds whom; ``ids`` maps each id of before to its id now."""
    names = {now: then for then, now in ids.items()}
    there = read_profiles(domain, list(ids.values()))
    types = object_types(domain)
    profiles = {names[i]: {**p, "ProfileId": names[i]} for i, p in there.items()}
    objects = {
        names[i]: sorted(
            read_objects(domain, i, types).select("object_type_name", "unique_key", "object").rows()
        )
        for i in there
    }
    found = {
        key: sorted(names.get(item["ProfileId"], "another") for item in search(domain, [key])) for key in keys
    }
    return profiles, objects, found


def keys_in(domain, group, objects, given=()):
    """Every key that anything of a group can be found by."""
    keys = [key for profile in group for key in keys_of(profile)]
    types = {type_.name: type_ for type_ in object_types(domain)}
    for _, name, one in objects:
        keys += [k.key for k in keys_of_object(types[name], json.dumps(one)) or () if k.stored]
    return list(dict.fromkeys([*keys, *given]))


@pytest.fixture
def ledger(tmp_path):
    with open_ledger(str(tmp_path / "ledger.db")) as opened:
        yield opened


@pytest.fixture
def faults():
    return Faults()


@pytest.fixture
def merged(ledger, faults):
    """A merge of three with objects and keys, done; gives (domain, plan, state before, keys asked)."""
    with embedded(ANA, Settings(faults=faults)) as (domain, service):
        define_types(domain)
        load_objects(service.store, NAME, OBJECTS)
        client = domain.clients.read
        client.add_profile_key(DomainName=NAME, ProfileId=pid(2), KeyName="_phone", Values=["0700"])
        given = [SearchKey("_phone", "0700"), SearchKey("_account", "kept")]
        keys = keys_in(domain, ANA, OBJECTS, given)
        before = state_of(domain, {p["ProfileId"]: p["ProfileId"] for p in ANA}, keys)
        extra = PostStep(
            "update_profile", {"ProfileId": pid(1), "HomePhoneNumber": "0801", "Attributes": {"was": "Anna"}}
        )
        findable = PostStep(
            "add_profile_key", {"ProfileId": pid(1), "KeyName": "_account", "Values": ["kept"]}
        )
        plan = plan_of_group(ANA, {"FirstName": pid(2)}, post_steps=(extra, findable))
        assert apply_plans([plan], domain, ledger, applied()).complete
        yield domain, plan, before, keys


def test_a_restore_puts_back_fields_attributes_keys_and_objects(merged, ledger):
    domain, plan, before, keys = merged
    report = restore_merge(plan.plan_id[:10], domain, ledger, restored())

    assert (report.state, report.differences, report.told) == ("restored", (), ())
    assert state_of(domain, report.profiles, keys) == before
    assert describe_domain(domain).profile_count == 3
    assert report.profiles[pid(1)] == pid(1)
    assert ledger.survivors(NAME) == {i: report.profiles[i] for i in (pid(2), pid(3))}


def test_a_restore_is_told_before_it_is_done(merged, ledger):
    domain, plan, *_ = merged
    asked = domain.calls.counts
    report = restore_merge(plan.plan_id, domain, ledger, restored(apply=False))

    assert report.state == "planned"
    assert report.steps["create"] == 2
    assert report.steps["erase"] == 1  # Gender, which UpdateProfile cannot empty
    assert any("Connect Cases" in words for words in report.lost)
    assert any("profile ids" in words for words in report.lost)
    changed = {name for name in domain.calls.counts if domain.calls.counts[name] != asked.get(name, 0)}
    assert not changed & {"create_profile", "update_profile", "put_profile_object", "merge_profiles"}
    assert ledger.restore_of(plan.plan_id) is None


def test_what_changed_since_the_merge_stays(merged, ledger):
    domain, plan, *_ = merged
    domain.clients.read.update_profile(DomainName=NAME, ProfileId=pid(1), LastName="Married")
    report = restore_merge(plan.plan_id, domain, ledger, restored())

    survivor = read_profiles(domain, [pid(1)])[pid(1)]
    assert survivor["LastName"] == "Married"
    assert survivor["FirstName"] == "Ana"
    assert report.state == "restored"
    assert any("LastName" in words for words in report.kept)
    assert "Married" not in str(report)


def test_the_next_run_is_told_to_keep_restored_profiles_apart(merged, ledger):
    domain, plan, *_ = merged
    report = restore_merge(plan.plan_id, domain, ledger, restored())

    decisions = ledger.decisions_of(NAME)
    assert decisions["verdict"].to_list() == ["non_match"] * 3
    assert set(decisions["profile_id_left"]) | set(decisions["profile_id_right"]) == set(
        report.profiles.values()
    )
    again = apply_plans([plan], domain, ledger, applied())
    assert again.outcomes[0].result is Result.REFUSED
    assert "undone by restore" in again.outcomes[0].reason


def test_a_merge_is_restored_once(merged, ledger):
    domain, plan, *_ = merged
    restore_merge(plan.plan_id, domain, ledger, restored())
    with pytest.raises(BadInput, match="restored before"):
        restore_merge(plan.plan_id, domain, ledger, restored())
    assert describe_domain(domain).profile_count == 3


def test_who_is_restored_out_of_a_chain_is_forgotten_in_the_images_of_those_who_held_her_too(ledger):
    one, two, three, four = ({"ProfileId": pid(n), "FirstName": f"Name-{n}"} for n in range(1, 5))
    with embedded([one, two, three, four]) as (domain, _):
        first = plan_of_group([one, {**two, "PhoneNumber": "0800"}])
        domain.clients.read.update_profile(DomainName=NAME, ProfileId=pid(2), PhoneNumber="0800")
        assert apply_plans([first], domain, ledger, applied()).complete
        second = plan_of_group([three, first.predicted])
        assert apply_plans([second], domain, ledger, applied()).complete
        for plan in (second, first):
            assert restore_merge(plan.plan_id, domain, ledger, restored()).state == "restored"
        later = plan_of_group([three, four])
        assert apply_plans([later], domain, ledger, applied(clock=lambda: LATER)).complete

    removed = ledger.forget(NAME, pid(2), ("bea", LATER))

    assert removed["before_images"] == 2
    assert removed["restores"] == 2
    for plan in (first, second):
        with pytest.raises(LedgerFailed, match="erased"):
            ledger.intent_of(plan.plan_id, 0)
    assert ledger.intent_of(later.plan_id, 0).before["profiles"][pid(3)] == three


def test_a_restore_that_another_one_overtook_sees_so(merged, ledger, monkeypatch):
    domain, plan, *_ = merged
    check = restoring.check_nobody_else_merges

    def overtaken(asked):
        monkeypatch.setattr(restoring, "check_nobody_else_merges", check)
        assert restore_merge(plan.plan_id, asked, ledger, restored()).state == "restored"

    monkeypatch.setattr(restoring, "check_nobody_else_merges", overtaken)
    with pytest.raises(BadInput, match="restored before"):
        restore_merge(plan.plan_id, domain, ledger, restored())
    assert describe_domain(domain).profile_count == 3


def test_a_survivor_that_was_merged_away_must_be_restored_first(merged, ledger):
    domain, plan, *_ = merged
    other = domain.clients.read.create_profile(DomainName=NAME, FirstName="Other")["ProfileId"]
    group = [read_profiles(domain, [i])[i] for i in (other, pid(1))]
    later = plan_of_group(group, {"FirstName": other, "EmailAddress": pid(1)})
    assert apply_plans([later], domain, ledger, applied()).complete
    with pytest.raises(Held, match="restore that merge first"):
        restore_merge(plan.plan_id, domain, ledger, restored())

    first = restore_merge(later.plan_id, domain, ledger, restored())
    second = restore_merge(plan.plan_id, domain, ledger, restored())

    assert first.state == second.state == "restored"
    assert second.survivor_id == first.profiles[pid(1)]
    names = {p.get("FirstName") for p in read_profiles(domain, list(second.profiles.values())).values()}
    assert names == {"Ana", "Anna", None}


def test_an_unknown_merge_is_bad_input(merged, ledger):
    domain, *_ = merged
    with pytest.raises(BadInput, match="no merge"):
        restore_merge("f" * 40, domain, ledger, restored())


def test_an_expired_before_image_is_said_to_be_gone(merged, ledger):
    domain, plan, *_ = merged
    assert ledger.expire(NAME, datetime(2026, 6, 1, tzinfo=UTC))["before_images"] == 3
    with pytest.raises(LedgerFailed, match="expired"):
        restore_merge(plan.plan_id, domain, ledger, restored())


class _Killed(BaseException):
    """Stands for SIGKILL: nothing in the program catches it."""


@pytest.mark.parametrize("when", ["before", "done", "after"])
def test_a_restore_that_is_cut_off_anywhere_goes_on_and_doubles_nothing(merged, ledger, when):
    domain, plan, before, keys = merged
    steps = sum(restore_merge(plan.plan_id, domain, ledger, restored(apply=False)).steps.values())
    for cut in range(steps):

        def die(moment, number, cut=cut):
            if (moment, number) == (when, cut):
                raise _Killed

        with pytest.raises(_Killed):
            restore_merge(plan.plan_id, domain, ledger, restored(at_step=die))
    report = restore_merge(plan.plan_id, domain, ledger, restored())

    assert report.state == "restored"
    assert state_of(domain, report.profiles, keys) == before
    assert describe_domain(domain).profile_count == 3


TROUBLE = ["throttle", "fail_before", "fail_after", "delay_after", "reset_after"]
CALLS = [
    "CreateProfile",
    "UpdateProfile",
    "PutProfileObject",
    "DeleteProfileObject",
    "AddProfileKey",
    "DeleteProfileKey",
    "MergeProfiles",
    "SearchProfiles",
]


@pytest.mark.parametrize("kind", TROUBLE)
def test_trouble_with_a_restore_never_doubles_or_loses_anything(merged, ledger, faults, kind):
    domain, plan, before, keys = merged
    for operation in CALLS:
        faults.plan(operation, Fault(kind, times=2, skip=1, seconds=99))
    for _ in range(9):
        try:
            report = restore_merge(plan.plan_id, domain, ledger, restored())
            break
        except ServiceFailed:
            continue
    faults.clear()

    assert report.state == "restored"
    assert state_of(domain, report.profiles, keys) == before
    assert describe_domain(domain).profile_count == 3


values = st.sampled_from(["x", "y", "Zoë"])
phones = st.sampled_from(["0800", "0801", "0802"])
mails = st.sampled_from(["a@x.io", "b@x.io", "c@x.io"])
profiles = st.fixed_dictionaries(
    {},
    optional={
        "FirstName": values,
        "LastName": values,
        "BusinessName": values,
        "AccountNumber": st.sampled_from(["n1", "n2", "n3"]),
        "PhoneNumber": phones,
        "HomePhoneNumber": phones,
        "EmailAddress": mails,
        "BusinessEmailAddress": mails,
        "Gender": st.sampled_from(["MALE", "FEMALE"]),
        "PartyType": st.sampled_from(["INDIVIDUAL", "BUSINESS"]),
        "GenderString": values,
        "Address": st.dictionaries(st.sampled_from(["City", "Country", "PostalCode"]), values, min_size=1),
        "Attributes": st.dictionaries(st.sampled_from(["a", "b", "c"]), values, min_size=1),
    },
)
objects = st.lists(
    st.one_of(
        st.tuples(st.integers(0, 3), st.just("Crm"), st.fixed_dictionaries({"id": values})),
        st.tuples(
            st.integers(0, 3),
            st.just("Calls"),
            st.fixed_dictionaries({"id": values, "phone": phones}),
        ),
        st.tuples(
            st.integers(0, 3),
            st.just("Mails"),
            st.fixed_dictionaries({"id": values, "mail": mails, "n": st.integers(0, 2)}),
        ),
    ),
    max_size=5,
)
given_keys = st.lists(
    st.tuples(st.integers(0, 3), st.sampled_from(["_phone", "_account"]), st.sampled_from(["k1", "k2"])),
    max_size=3,
)


@pytest.fixture(scope="module")
def many_domains():
    """One service for all examples; each of them makes a domain of its own in it."""
    numbers = count()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ACCESS_KEY_ID", "test")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "test")
        with embedded([]) as (domain, service):
            yield lambda: (Domain(f"d{next(numbers)}", hurried(domain.clients), sleep=no_sleep), service)


@pytest.mark.soak
@settings(max_examples=600 if os.environ.get("RESOLVER_SOAK") else 25)
@given(
    case=st.tuples(st.lists(profiles, min_size=2, max_size=4), objects, given_keys, st.booleans()),
)
def test_any_merge_is_restored_as_it_was(many_domains, tmp_path_factory, case):
    group, objects, added, post = case
    domain, service = many_domains()
    people = [{"ProfileId": pid(n + 1), **profile} for n, profile in enumerate(group)]
    both = [p for p in people if {"Gender", "GenderString"} <= p.keys()]  # no single call gives both
    once = [{k: v for k, v in p.items() if p not in both or k != "GenderString"} for p in people]
    load_profiles(service.store, domain.name, once)
    for p in both:
        domain.clients.read.update_profile(
            DomainName=domain.name, ProfileId=p["ProfileId"], GenderString=p["GenderString"]
        )
    define_types(domain)
    there = [(pid(n + 1), name, one) for n, name, one in objects if n < len(people)]
    load_objects(service.store, domain.name, there)
    for n, name, value in added:
        if n < len(people):
            domain.clients.read.add_profile_key(
                DomainName=domain.name, ProfileId=pid(n + 1), KeyName=name, Values=[value]
            )
    asked = [SearchKey(name, value) for _, name, value in added] + [SearchKey("_phone", "0999")]
    keys = keys_in(domain, people, there, asked)
    before = state_of(domain, {p["ProfileId"]: p["ProfileId"] for p in people}, keys)
    extra = PostStep("add_profile_key", {"ProfileId": pid(1), "KeyName": "_phone", "Values": ["0999"]})
    plan = plan_of_group(people, post_steps=(extra,) if post else ())
    with open_ledger(str(tmp_path_factory.mktemp("ledger") / "ledger.db")) as ledger:
        assert apply_plans([plan], domain, ledger, applied()).complete
        report = restore_merge(plan.plan_id, domain, ledger, restored())

    assert report.differences == ()
    assert report.told == ()
    assert state_of(domain, report.profiles, keys) == before
    assert describe_domain(domain).profile_count == len(people)
