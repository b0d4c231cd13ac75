from __future__ import annotations

import pytest

from resolver.errors import BadInput
from resolver.model.merge_plan import FieldChoice, MergeStep


@pytest.mark.parametrize("blank", [None, "", {}, {"City": ""}, {"City": None}])
def test_a_choice_without_a_value_cannot_be_made(blank):
    with pytest.raises(BadInput, match="Address: profile b has no value to give"):
        FieldChoice("Address", "b", blank, "longest")


@pytest.mark.parametrize("count", [0, 21])
def test_a_step_takes_one_to_twenty_profiles(count):
    with pytest.raises(BadInput, match=f"1 to 20 profiles, not {count}"):
        MergeStep("main", tuple(map(str, range(count))), ())


@pytest.mark.parametrize("merged", [("b", "b"), ("main", "b")])
def test_a_step_names_nobody_twice(merged):
    with pytest.raises(BadInput, match="names a profile twice"):
        MergeStep("main", merged, ())


def test_a_step_names_only_sources_of_its_own():
    with pytest.raises(BadInput, match="FirstName: its source is not in the same merge step"):
        MergeStep("main", ("b",), (FieldChoice("FirstName", "c", "Ana", "longest"),))


def test_field_sources_have_the_shape_of_the_api():
    choices = (
        FieldChoice("FirstName", "b", "Ana", "longest"),
        FieldChoice("Attributes.a.b", "c", "1", "longest"),
        FieldChoice("Attributes.tier", "main", "gold", "main"),
    )
    assert MergeStep("main", ("b", "c"), choices).field_sources == {
        "FirstName": "b",
        "Attributes": {"a.b": "c", "tier": "main"},
    }
