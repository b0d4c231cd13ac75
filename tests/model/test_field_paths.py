from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from resolver.model.field_paths import NOT_EMPTIED, paths_of, profile_of, undone, updates

values = st.sampled_from(["x", "y", "z"])
profiles = st.fixed_dictionaries(
    {"ProfileId": st.just("a" * 32)},
    optional={
        "FirstName": values,
        "LastName": values,
        "Gender": values,
        "GenderString": values,
        "Address": st.dictionaries(st.sampled_from(["City", "Country"]), values, min_size=1),
        "Attributes": st.dictionaries(st.sampled_from(["a", "b.c"]), values, min_size=1),
    },
)


def updated(profile, request):
    """What UpdateProfile does: an empty string removes, blocks merge by part."""
    paths = paths_of(profile) | paths_of(request)
    return profile_of(profile["ProfileId"], {path: value for path, value in paths.items() if value})


@given(profiles)
def test_paths_are_the_profile(profile):
    assert profile_of(profile["ProfileId"], paths_of(profile)) == profile


@given(profiles, profiles)
def test_updates_lead_to_the_target_but_for_what_cannot_be_emptied(current, target):
    after = current
    for request in updates(current, target):
        assert not (request.get("Gender") and request.get("GenderString"))
        after = updated(after, request)
    kept = {name: current[name] for name in NOT_EMPTIED if name in current and name not in target}
    assert after == {**target, **kept}


@given(profiles)
def test_nothing_is_sent_where_nothing_differs(profile):
    assert list(updates(profile, profile)) == []


@given(profiles, profiles)
def test_what_nobody_changed_since_is_undone_whole(before, after):
    assert undone(before, after, after) == (before, [])


@given(profiles, profiles, profiles)
def test_what_was_changed_since_stays_as_it_is_now(before, after, now):
    wanted, changed = undone(before, after, now)
    there, then, left = paths_of(now), paths_of(before), paths_of(after)
    for path in there.keys() | then.keys() | left.keys():
        expected = there if path in changed else then
        assert paths_of(wanted).get(path) == expected.get(path)
        assert (path in changed) == (there.get(path) != left.get(path))
