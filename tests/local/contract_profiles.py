"""The contract of profiles, keys, objects, history and matches."""

from __future__ import annotations

from contract_rows import (
    BAD_KEY,
    BAD_NAME,
    BAD_PAGE,
    BAD_PROFILE_ID,
    BAD_TYPE_NAME,
    DOMAIN,
    KEY,
    LONG_FIELDS,
    NO_DOMAIN,
    NO_PROFILE,
    NOBODY,
    OWNER,
    Row,
)

PROFILES: dict[str, Row] = {
    "CreateProfile": Row(
        {**DOMAIN, "FirstName": "Zoë", "Address": {"City": "Ulm"}, "Attributes": {"a": "1"}},
        {},
        {**BAD_NAME, **LONG_FIELDS, "an empty name": ({"FirstName": ""}, "FirstName")},
        NO_DOMAIN,
    ),
    "UpdateProfile": Row(
        {**OWNER, "FirstName": "", "LastName": "Zoë"},
        {"ProfileId": "$ana"},
        {**BAD_PROFILE_ID, **LONG_FIELDS},
        NO_PROFILE,
    ),
    "DeleteProfile": Row(OWNER, {"Message": "OK"}, BAD_PROFILE_ID, NO_PROFILE),
    "BatchGetProfile": Row(
        {**DOMAIN, "ProfileIds": ["$ana", NOBODY]},
        {"Profiles.0.ProfileId": "$ana", "Errors.0.ProfileId": NOBODY},
        {
            **BAD_NAME,
            "21 ids": ({"ProfileIds": [NOBODY] * 21}, "ProfileIds"),
            "no ids": ({"ProfileIds": []}, "ProfileIds"),
            "an id that is none": ({"ProfileIds": ["x"]}, "ProfileIds"),
        },
        NO_DOMAIN,
    ),
    "SearchProfiles": Row(
        {**DOMAIN, "KeyName": "_email", "Values": ["ANA@x.io"]},
        {"Items.0.ProfileId": "$ana", "Items.0.FoundByItems.0.KeyName": "_email"},
        {
            **BAD_NAME,
            **BAD_PAGE,
            "a key that nobody defined": ({"KeyName": "undefined"}, "KeyName"),
            "no value": ({"Values": []}, "Values"),
            "an empty value": ({"Values": [""]}, "Values"),
            "no values at all": ({"Values": None}, "Values"),
            "five further keys": (
                {"AdditionalSearchKeys": [{"KeyName": "_phone", "Values": ["5"]}] * 5},
                "AdditionalSearchKeys",
            ),
            "a further key that nobody defined": (
                {"AdditionalSearchKeys": [{"KeyName": "undefined", "Values": ["5"]}]},
                "KeyName",
            ),
            "an unknown operator": ({"LogicalOperator": "XOR"}, "LogicalOperator"),
        },
        NO_DOMAIN,
    ),
    "MergeProfiles": Row(
        {
            **DOMAIN,
            "MainProfileId": "$ana",
            "ProfileIdsToBeMerged": ["$ben"],
            "FieldSourceProfileIds": {"FirstName": "$ben", "Attributes": {"a": "$ana"}},
        },
        {"Message": "OK"},
        {
            **BAD_NAME,
            "21 profiles": ({"ProfileIdsToBeMerged": [NOBODY] * 21}, "ProfileIdsToBeMerged"),
            "nobody": ({"ProfileIdsToBeMerged": []}, "ProfileIdsToBeMerged"),
            "main among them": ({"ProfileIdsToBeMerged": ["$ana"]}, "MainProfileId"),
            "one twice": ({"ProfileIdsToBeMerged": ["$ben", "$ben"]}, "ProfileIdsToBeMerged"),
            "a donor from elsewhere": (
                {"FieldSourceProfileIds": {"FirstName": NOBODY}},
                "FieldSourceProfileIds",
            ),
            "an attribute's donor from elsewhere": (
                {"FieldSourceProfileIds": {"Attributes": {"a": NOBODY}}},
                "FieldSourceProfileIds",
            ),
            "a donor that is no id": ({"FieldSourceProfileIds": {"Address": "x"}}, "Address"),
        },
        {
            **NO_DOMAIN,
            "no main profile": {"MainProfileId": NOBODY},
            "no merged profile": {"ProfileIdsToBeMerged": ["$ben", NOBODY]},
        },
    ),
    "AddProfileKey": Row(KEY, {"KeyName": "_phone", "Values": ["2065550142"]}, BAD_KEY, NO_PROFILE),
    "DeleteProfileKey": Row(
        {**KEY, "Values": ["2065550177"]},
        {"Message": "OK"},
        {**BAD_KEY, "a value of the profile's own fields": ({"Values": ["2065550100"]}, "KeyName")},
        {**NO_PROFILE, "no such value": {"Values": ["2065550199"]}},
    ),
    "ListProfileHistoryRecords": Row(
        OWNER,
        {"ProfileHistoryRecords.0.ActionType": "CREATED"},
        {
            **BAD_PROFILE_ID,
            **BAD_PAGE,
            "an action unknown to the model": ({"ActionType": "SOLD"}, "ActionType"),
            "type name with a digit first": ({"ObjectTypeName": "1st"}, "ObjectTypeName"),
        },
        NO_PROFILE,
    ),
    "GetProfileHistoryRecord": Row(
        {**OWNER, "Id": "$record"},
        {"Id": "$record", "ActionType": "CREATED"},
        {
            **BAD_NAME,
            "a profile id that is none": ({"ProfileId": "x"}, "ProfileId"),
            "an id that is none": ({"Id": "x"}, "Id"),
        },
        {**NO_PROFILE, "no record": {"Id": NOBODY}},
    ),
    "GetMatches": Row(
        DOMAIN,
        {"PotentialMatches": 1, "Matches.0.MatchId": "$match"},
        {**BAD_NAME, **BAD_PAGE, "matching is off": ({"DomainName": "$still"}, "Matching")},
        NO_DOMAIN,
    ),
    "GetSimilarProfiles": Row(
        {
            **DOMAIN,
            "MatchType": "ML_BASED_MATCHING",
            "SearchKey": "profileId",
            "SearchValue": "$ana",
        },
        {"ProfileIds": ["$ana", "$ben"], "MatchId": "$match"},
        {
            **BAD_NAME,
            **BAD_PAGE,
            "an unknown search key": ({"SearchKey": "name"}, "SearchKey"),
            "an unknown kind of match": ({"MatchType": "GUESS"}, "MatchType"),
            "rules are off": (
                {"DomainName": "$still", "MatchType": "RULE_BASED_MATCHING"},
                "RuleBasedMatching",
            ),
            "matching is off": ({"DomainName": "$still"}, "Matching"),
        },
        {**NO_DOMAIN, "no group": {"SearchValue": NOBODY}},
    ),
    "ListRuleBasedMatches": Row(
        DOMAIN,
        {"MatchIds.0": "$ruled"},
        {**BAD_NAME, **BAD_PAGE, "rules are off": ({"DomainName": "$still"}, "RuleBasedMatching")},
        NO_DOMAIN,
    ),
    "ListIdentityResolutionJobs": Row(
        DOMAIN,
        {"IdentityResolutionJobsList.0.JobId": "$job"},
        {**BAD_NAME, **BAD_PAGE},
        NO_DOMAIN,
    ),
    "GetIdentityResolutionJob": Row(
        {**DOMAIN, "JobId": "$job"},
        {"JobId": "$job", "Status": "COMPLETED", "JobStats.NumberOfMatchesFound": 1},
        {**BAD_NAME, "a job id that is none": ({"JobId": "x"}, "JobId")},
        {**NO_DOMAIN, "no job": {"JobId": NOBODY}},
    ),
    "PutProfileObject": Row(
        {**DOMAIN, "ObjectTypeName": "crm", "Object": '{"id": "7", "mail": "é@x.io"}'},
        {},
        {
            **BAD_TYPE_NAME,
            "no JSON": ({"Object": "{"}, "Object"),
            "no JSON object": ({"Object": "[]"}, "Object"),
            "no UNIQUE value": ({"Object": '{"mail": "a@x.io"}'}, "Object"),
            "a standard object": ({"ObjectTypeName": "_profile"}, "ObjectTypeName"),
            "more than 256,000 characters": (
                {"Object": '{"id": "' + "x" * 256_000 + '"}'},
                "Object",
            ),
            "more than 256,000 bytes": ({"Object": '{"id": "7", "a": "' + "é" * 130_000 + '"}'}, "Object"),
        },
        {**NO_DOMAIN, "no type": {"ObjectTypeName": "absent"}},
    ),
    "ListProfileObjects": Row(
        {**OWNER, "ObjectTypeName": "crm", "ObjectFilter": {"KeyName": "crmId", "Values": ["1"]}},
        {"Items.0.ProfileObjectUniqueKey": "$unique", "Items.0.ObjectTypeName": "crm"},
        {
            **BAD_TYPE_NAME,
            **BAD_PAGE,
            "filter by another type's key": (
                {"ObjectFilter": {"KeyName": "_phone", "Values": ["1"]}},
                "ObjectFilter",
            ),
            "filter without a value": ({"ObjectFilter": {"KeyName": "crmId", "Values": []}}, "ObjectFilter"),
        },
        {**NO_PROFILE, "no type": {"ObjectTypeName": "absent"}},
    ),
    "DeleteProfileObject": Row(
        {**OWNER, "ObjectTypeName": "crm", "ProfileObjectUniqueKey": "$unique"},
        {"Message": "OK"},
        {**BAD_TYPE_NAME, "an empty key": ({"ProfileObjectUniqueKey": ""}, "ProfileObjectUniqueKey")},
        {
            **NO_PROFILE,
            "no type": {"ObjectTypeName": "absent"},
            "no object": {"ProfileObjectUniqueKey": "absent"},
            "somebody else's object": {"ProfileId": "$ben"},
        },
    ),
}
