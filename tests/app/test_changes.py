from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from resolver.app.changes import CHANGES, compare, count, fingerprints_of, marks_of
from resolver.model.frames import conform
from resolver.planning.fingerprint import fingerprint_profile
from resolver.profiles.convert import profiles_frame
from resolver.profiles.harvest import mark

contents = st.dictionaries(st.sampled_from("abcdef"), st.sampled_from(["Ana", "Ben"]))


def frame_of(held):
    return fingerprints_of(profiles_frame({"ProfileId": i, "FirstName": name} for i, name in held.items()))


@given(contents, contents)
def test_changes_are_what_a_comparison_one_by_one_finds(before, after):
    told = compare(frame_of(before), frame_of(after))
    expected = dict.fromkeys(after.keys() - before.keys(), "new")
    expected |= dict.fromkeys(before.keys() - after.keys(), "gone")
    expected |= {i: "changed" for i in before.keys() & after.keys() if before[i] != after[i]}

    assert conform(told, CHANGES).equals(told)
    assert dict(told.select("profile_id", "change").iter_rows()) == expected
    assert sum(count(told).values()) == len(expected)


def test_a_profile_in_a_frame_and_alone_has_the_same_mark():
    profile = {"ProfileId": "a", "FirstName": "Ana", "Attributes": {"b": "1", "a": "2"}}

    assert marks_of(fingerprints_of(profiles_frame([profile]))) == {mark(fingerprint_profile(profile))}
