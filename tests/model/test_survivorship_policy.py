from __future__ import annotations

import json
import tomllib

import pytest
from pydantic import ValidationError

from resolver.model.survivorship_policy import Merging, Preservation, SecondOpinion, Survivorship

#: The planning sections of the shipped rule set.
SHIPPED = """
[survivorship]
# Votes first; a tie goes to the main profile, whose value the store would keep anyway.
default = "most_frequent"
# Giving up a birth date that says something else is the sign of two people: a person looks.
protected = ["BirthDate"]
# The API returns no time on a profile: its objects' dates, else history records, tell its age.
recency = ["objects", "profile"]
# Object types, best first, for source_priority; empty until an analyst knows which source to trust.
source_priority = []

[survivorship.fields]
BirthDate = "most_frequent"
# The main profile has most objects: its number is the one that other systems use. Others stay findable.
AccountNumber = "main"
# A number that nobody can ring, or an address nobody can write to, helps no agent.
PhoneNumber = "valid_first"
MobilePhoneNumber = "valid_first"
HomePhoneNumber = "valid_first"
BusinessPhoneNumber = "valid_first"
EmailAddress = "valid_first"
PersonalEmailAddress = "valid_first"
BusinessEmailAddress = "valid_first"
# A block moves whole: the one with most parts loses least.
Address = "most_complete"
ShippingAddress = "most_complete"
MailingAddress = "most_complete"
BillingAddress = "most_complete"
# An initial loses to the name, a stub to the full note.
MiddleName = "longest"
AdditionalInformation = "longest"
# Attributes are mostly states (tier, status): the newest profile knows; without dates, votes.
Attributes = "most_recent"

[merging]
# No doubt is allowed without a person: a merge cannot be undone.
allow = []
# One call holds 21 profiles; larger groups of one person are rare and mostly wrong.
max_profiles = 20
# Amazon Connect's default quotas for one profile with its objects; raise them where yours were raised.
max_objects = 1000
max_size_kb = 51200

[second_opinion]
# Neither side is the truth: links that only GetMatches sees are shown to a person.
policy = "evidence"
# The job runs weekly; an older run knows nothing of this week's profiles.
max_age_days = 7

[preservation]
# Adding a search key is safe to repeat, and a displaced phone still finds its customer.
search_keys = true
# Values written by UpdateProfile count as entered by hand and block later ingestion: opt in.
free_slots = false
"""


def test_the_shipped_sections_are_what_the_sections_take():
    read = tomllib.loads(SHIPPED)
    sections = {
        "survivorship": Survivorship,
        "merging": Merging,
        "second_opinion": SecondOpinion,
        "preservation": Preservation,
    }
    made = {name: sections[name].model_validate_json(json.dumps(text)) for name, text in read.items()}
    assert made.keys() == sections.keys()
    assert made["merging"] == Merging()
    assert made["second_opinion"] == SecondOpinion()
    assert made["preservation"] == Preservation()


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
