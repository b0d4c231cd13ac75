from __future__ import annotations

from resolver.report.ambiguity import count_ambiguous

HITS = [
    ("_phone", "1", "a"),
    ("_phone", "1", "b"),
    ("_phone", "2", "a"),
    ("_email", "x", "c"),
    ("_account", "9", "a"),
]


def test_a_value_is_ambiguous_when_it_finds_two_profiles():
    counts = count_ambiguous(HITS)
    assert counts["phones"] == {"asked": 2, "before": 1, "after": None}
    assert counts["e-mails"] == {"asked": 1, "before": 0, "after": None}


def test_a_merge_moves_keys_so_that_both_find_the_survivor():
    assert count_ambiguous(HITS, {"b": "a"})["phones"]["after"] == 0
    assert count_ambiguous(HITS, {"b": "z"})["phones"]["after"] == 1
