from __future__ import annotations

import pytest
from pydantic import ValidationError

from resolver.model.survivorship_policy import Merging, Preservation, SecondOpinion, Survivorship


@pytest.mark.parametrize(
    ("settings", "complaint"),
    [
        ({"fields": {"FirstNam": "longest"}}, "FirstNam: no such field"),
        ({"fields": {"Attributes.": "longest"}}, r"Attributes\.: no such field"),
        ({"fields": {"FirstName": "newest"}}, "most_recent"),
        ({"default": "newest"}, "most_recent"),
        ({"fields": {"GenderString": "longest"}}, "GenderString: a merge cannot choose it"),
        ({"protected": ("Birthday",)}, "Birthday: no such field"),
        ({"protected": ("BirthDate",)}, "protected without a strategy in fields: BirthDate"),
        ({"fields": {"BirthDate": "valid_first"}}, "valid_first fits phones and e-mails only, not BirthDate"),
        ({"default": "valid_first"}, "not default"),
        ({"recency": ("object",)}, "unknown clock object"),
        ({"phone_region": "us"}, "pattern"),
        ({"newest": True}, "Extra inputs are not permitted"),
    ],
)
def test_what_does_not_fit_is_refused_with_its_name(settings, complaint):
    with pytest.raises(ValidationError, match=complaint):
        Survivorship(**settings)


def test_all_that_is_wrong_with_the_fields_is_said_at_once():
    with pytest.raises(
        ValidationError, match="Foo: no such field; PartyTypeString: a merge cannot choose it"
    ):
        Survivorship(fields={"Foo": "main", "PartyTypeString": "main"})


def test_a_field_without_a_line_follows_attributes_or_the_default():
    rules = Survivorship(
        default="longest",
        fields={"FirstName": "main", "Attributes": "most_recent", "Attributes.tier": "never"},
    )
    asked = ("FirstName", "LastName", "Attributes.tier", "Attributes.other")
    assert [rules.strategy_of(f) for f in asked] == ["main", "longest", "never", "most_recent"]
    assert Survivorship(default="longest").strategy_of("Attributes.other") == "longest"


def test_a_rule_file_may_write_lists_and_whole_numbers():
    read = Survivorship.model_validate_json('{"protected": ["BirthDate"], "fields": {"BirthDate": "main"}}')
    assert read.protected == ("BirthDate",)
    assert SecondOpinion.model_validate_json('{"max_age_days": 7}').max_age_days == 7
    assert Merging.model_validate_json('{"allow": ["contested"]}').allow == ("contested",)


@pytest.mark.parametrize(
    ("section", "settings"),
    [
        (Merging, {"allow": ("everything",)}),
        (Merging, {"max_profiles": 1}),
        (Preservation, {"attribute_prefix": ""}),
    ],
)
def test_settings_outside_their_range_are_refused(section, settings):
    with pytest.raises(ValidationError):
        section(**settings)
