"""Every operation through an unmodified boto3, on both transports: what it does and what it refuses."""

from __future__ import annotations

import json

import pytest
from botocore.exceptions import ClientError

NOBODY = "0" * 32
FIELDS = {
    "id": {"Source": "_source.id"},
    "mail": {"Source": "_source.mail", "Target": "_profile.EmailAddress", "ContentType": "EMAIL_ADDRESS"},
    "name": {"Source": "{{_source.first}} {{_source.last}}", "Target": "_profile.BusinessName"},
    "city": {"Source": "_source.at.city", "Target": "_profile.Address.City"},
}
KEYS = {
    "crmId": [{"StandardIdentifiers": ["UNIQUE", "PROFILE"], "FieldNames": ["id"]}],
    "_email": [{"StandardIdentifiers": ["PROFILE", "SECONDARY"], "FieldNames": ["mail"]}],
}
CRM = {"Description": "CRM", "AllowProfileCreation": True, "Fields": FIELDS, "Keys": KEYS}


def refusal(call, **parameters):
    with pytest.raises(ClientError) as refused:
        call(**parameters)
    return refused.value.response["Error"]["Code"]


def create(client, domain, **fields):
    return client.create_profile(DomainName=domain, **fields)["ProfileId"]


def search(client, domain, key, value, **more):
    return client.search_profiles(DomainName=domain, KeyName=key, Values=[value], **more)["Items"]


def put(client, domain, body, name="crm"):
    answer = client.put_profile_object(DomainName=domain, ObjectTypeName=name, Object=json.dumps(body))
    return answer["ProfileObjectUniqueKey"]


def test_a_domain_can_be_changed_cleared_and_deleted_once(client, domain):
    assert refusal(client.create_domain, DomainName=domain, DefaultExpirationDays=1) == "BadRequestException"
    client.update_domain(DomainName=domain, DeadLetterQueueUrl="https://queue", DefaultEncryptionKey="key")
    answer = client.update_domain(DomainName=domain, DeadLetterQueueUrl="")
    assert "DeadLetterQueueUrl" not in answer
    assert (answer["DefaultEncryptionKey"], answer["DefaultExpirationDays"]) == ("key", 30)
    assert answer["LastUpdatedAt"] >= answer["CreatedAt"]
    create(client, domain, FirstName="Ana")
    client.delete_domain(DomainName=domain)
    for call in (client.get_domain, client.delete_domain, client.update_domain, client.create_profile):
        assert refusal(call, DomainName=domain) == "ResourceNotFoundException"
    client.create_domain(DomainName=domain, DefaultExpirationDays=1)
    assert client.get_domain(DomainName=domain)["Stats"]["ProfileCount"] == 0


def test_an_update_keeps_what_is_absent_and_removes_what_is_empty(client, domain):
    ana = create(
        client, domain, FirstName="Ana", PhoneNumber="2065550100", Address={"City": "Ulm", "State": "BW"},
        Attributes={"a": "1", "b": "2"},
    )  # fmt: skip
    client.update_profile(
        DomainName=domain, ProfileId=ana, LastName="Ruiz", PhoneNumber="", Address={"State": ""},
        Attributes={"a": "", "c": "3"},
    )  # fmt: skip
    (profile,) = client.batch_get_profile(DomainName=domain, ProfileIds=[ana])["Profiles"]
    assert profile == {
        "ProfileId": ana, "FirstName": "Ana", "LastName": "Ruiz", "Address": {"City": "Ulm"},
        "Attributes": {"b": "2", "c": "3"},
    }  # fmt: skip
    assert search(client, domain, "_phone", "2065550100") == []
    assert [found["ProfileId"] for found in search(client, domain, "_fullName", "ana  RUIZ")] == [ana]
    both = {"PartyType": "OTHER", "PartyTypeString": "club"}
    assert refusal(client.update_profile, DomainName=domain, ProfileId=ana, **both) == "BadRequestException"
    assert refusal(client.update_profile, DomainName=domain, ProfileId=NOBODY) == "ResourceNotFoundException"


def test_a_profile_holds_as_many_bytes_as_its_text_has(client, domain):
    attributes = {f"{number:03}": "ß" * 250 for number in range(300)}  # 150 kB of UTF-8
    kept = create(client, domain, Attributes=attributes)
    (profile,) = client.batch_get_profile(DomainName=domain, ProfileIds=[kept])["Profiles"]
    assert profile["Attributes"] == attributes
    more = {f"x{number:03}": "ß" * 250 for number in range(300)}
    full = {"DomainName": domain, "ProfileId": kept, "Attributes": more}
    assert refusal(client.update_profile, **full) == "BadRequestException"


def test_a_deleted_profile_is_gone_with_its_keys_and_objects(client, domain):
    client.put_profile_object_type(DomainName=domain, ObjectTypeName="crm", **CRM)
    put(client, domain, {"id": "1", "mail": "a@x.io"})
    (found,) = search(client, domain, "crmId", "1")
    client.add_profile_key(DomainName=domain, ProfileId=found["ProfileId"], KeyName="_phone", Values=["5"])
    client.delete_profile(DomainName=domain, ProfileId=found["ProfileId"])
    for key, value in (("crmId", "1"), ("_email", "a@x.io"), ("_phone", "5")):
        assert search(client, domain, key, value) == []
    stats = client.get_domain(DomainName=domain)["Stats"]
    assert stats == {"ProfileCount": 0, "MeteringProfileCount": 0, "ObjectCount": 0, "TotalSize": 0}
    again = {"DomainName": domain, "ProfileId": found["ProfileId"]}
    assert refusal(client.delete_profile, **again) == "ResourceNotFoundException"
    actions = [r["ActionType"] for r in client.list_profile_history_records(**again)["ProfileHistoryRecords"]]
    assert actions == ["CREATED", "INGESTED", "ADDED_PROFILE_KEY", "DELETED_BY_CUSTOMER"]


@pytest.mark.parametrize(
    "case",
    [
        ("EmailAddress", "Ana@X.io", "_email", " ana@x.IO", True),
        ("EmailAddress", "a.na@x.io", "_email", "ana@x.io", False),
        ("BusinessPhoneNumber", "+1 (206) 345-7890", "_phone", "2063457890", True),
        ("HomePhoneNumber", "030 123456", "_phone", "+49 30 123456", False),
        ("AccountNumber", "Ab1", "_account", "Ab1", True),
        ("AccountNumber", "Ab1", "_account", "ab1", False),
        ("FirstName", "  Ana  Maria ", "_fullName", "ana maria", True),
        ("PhoneNumber", "anonymous", "_phone", "Anonymous", True),
    ],
)
def test_keys_are_equal_by_their_content_type(client, domain, case):
    field, stored, key, asked, found = case
    profile = create(client, domain, **{field: stored})
    assert [item["ProfileId"] for item in search(client, domain, key, asked)] == [profile] * found


def test_five_keys_join_by_or_and_by_and_and_say_which_of_them_found_a_profile(client, domain):
    ana = create(client, domain, AccountNumber="1", EmailAddress="a@x.io")
    ben = create(client, domain, AccountNumber="2", EmailAddress="a@x.io")
    more = [{"KeyName": "_account", "Values": ["2"]}, {"KeyName": "_profileId", "Values": [NOBODY]}]
    found = search(client, domain, "_email", "A@x.io", AdditionalSearchKeys=more)
    asked = {"KeyName": "_email", "Values": ["A@x.io"]}
    assert [(item["ProfileId"], item["FoundByItems"]) for item in found] == [
        (ana, [asked]),
        (ben, [asked, more[0]]),
    ]
    both = {"AdditionalSearchKeys": more[:1], "LogicalOperator": "AND"}
    (only,) = search(client, domain, "_email", "a@x.io", **both)
    assert only["ProfileId"] == ben
    assert [item["ProfileId"] for item in search(client, domain, "_profileId", ana)] == [ana]
    unknown = {"DomainName": domain, "KeyName": "nobody", "Values": ["1"]}
    assert refusal(client.search_profiles, **unknown) == "BadRequestException"
    empty = {"DomainName": domain, "KeyName": "_email", "Values": []}
    assert refusal(client.search_profiles, **empty) == "BadRequestException"


def test_of_several_values_those_are_named_that_found_the_profile(client, domain):
    ana = create(client, domain, EmailAddress="a@x.io", AccountNumber="1")
    ben = create(client, domain, EmailAddress="b@x.io", AccountNumber="1")
    mails = ["A@x.io", "c@x.io", "b@x.io", "a@x.io"]
    asked = {"DomainName": domain, "KeyName": "_email", "Values": mails}

    def found_by(**more):
        items = client.search_profiles(**asked, **more)["Items"]
        return [(item["ProfileId"], [found["Values"] for found in item["FoundByItems"]]) for item in items]

    ids = [{"KeyName": "_profileId", "Values": [NOBODY, ben]}]
    assert found_by() == [(ana, [["A@x.io", "a@x.io"]]), (ben, [["b@x.io"]])]
    assert found_by(AdditionalSearchKeys=ids) == [(ana, [["A@x.io", "a@x.io"]]), (ben, [["b@x.io"], [ben]])]
    assert found_by(AdditionalSearchKeys=ids, LogicalOperator="AND") == [(ben, [mails, [NOBODY, ben]])]


@pytest.mark.parametrize("size", [1, 2, 3, 100])
def test_pages_hold_every_profile_once_and_survive_a_deletion_between_them(client, domain, size):
    ids = [create(client, domain, PhoneNumber="2065550100") for _ in range(5)]
    seen, more = [], {}
    while True:
        asked = {"DomainName": domain, "KeyName": "_phone", "Values": ["2065550100"], "MaxResults": size}
        page = client.search_profiles(**asked, **more)
        seen += [item["ProfileId"] for item in page["Items"]]
        if len(seen) == size < 3:
            client.delete_profile(DomainName=domain, ProfileId=ids[0])
        if "NextToken" not in page:
            break
        more = {"NextToken": page["NextToken"]}
    assert seen == ids


def test_a_hostile_token_or_page_size_is_a_bad_request(client, domain):
    for _ in range(2):
        create(client, domain, PhoneNumber="2065550100")
    asked = {"DomainName": domain, "KeyName": "_phone", "Values": ["2065550100"], "MaxResults": 1}
    token = client.search_profiles(**asked)["NextToken"]
    other = {**asked, "Values": ["2065550101"]}
    assert refusal(client.search_profiles, **other, NextToken=token) == "BadRequestException"
    for bad in ("x", "AAAA", token[:-4], "é" * 10, "9" * 1025, token + "=", "\x00"):
        assert refusal(client.search_profiles, **asked, NextToken=bad) == "BadRequestException"
        assert refusal(client.list_domains, NextToken=bad) == "BadRequestException"
    for size in (0, 101, -1, 2**70):
        with pytest.raises(Exception, match="MaxResults"):  # boto3 refuses some of them itself
            client.search_profiles(**{**asked, "MaxResults": size})


def test_given_keys_can_be_removed_and_derived_ones_cannot(client, domain):
    ana = create(client, domain, PhoneNumber="2065550100")
    key = {"DomainName": domain, "ProfileId": ana, "KeyName": "_phone"}
    answer = client.add_profile_key(**key, Values=["2065550101", "+1 206 555 0101"])
    assert answer["Values"] == ["2065550101", "+1 206 555 0101"]
    assert len(search(client, domain, "_phone", "2065550101")) == 1
    assert refusal(client.delete_profile_key, **key, Values=["2065550100"]) == "BadRequestException"
    unknown = ["2065550101", "2065550102"]
    assert refusal(client.delete_profile_key, **key, Values=unknown) == "ResourceNotFoundException"
    client.delete_profile_key(**key, Values=["2065550101"])
    assert search(client, domain, "_phone", "2065550101") == []
    for name in ("_profileId", "undefined"):
        bad = {**key, "KeyName": name, "Values": ["1"]}
        assert refusal(client.add_profile_key, **bad) == "BadRequestException"


def test_tags_live_on_domains_object_types_and_integrations(client, domain):
    client.put_profile_object_type(DomainName=domain, ObjectTypeName="crm", **CRM, Tags={"a": "1"})
    client.put_integration(
        DomainName=domain, Uri="arn:aws:s3:::bucket/x", ObjectTypeName="crm", Tags={"a": "1"}
    )
    folder = "arn:aws:s3:::bucket/100%25/ß/"  # a Uri may end with a slash, and hold what looks encoded
    client.put_integration(DomainName=domain, Uri=folder, ObjectTypeName="crm")
    base = f"arn:aws:profile:us-east-1:000000000000:domains/{domain}"
    of_uri = f"{base}/integrations/"
    for arn in (base, f"{base}/object-types/crm", f"{of_uri}arn:aws:s3:::bucket/x", of_uri + folder):
        client.tag_resource(resourceArn=arn, tags={"a": "2", "b": ""})
        client.untag_resource(resourceArn=arn, tagKeys=["b", "absent"])
        assert client.list_tags_for_resource(resourceArn=arn)["tags"] == {"a": "2"}
    client.put_profile_object_type(DomainName=domain, ObjectTypeName="crm", **CRM, Tags={"a": "3"})
    assert client.get_profile_object_type(DomainName=domain, ObjectTypeName="crm")["Tags"] == {"a": "2"}
    (listed,) = client.list_profile_object_types(DomainName=domain)["Items"]
    assert (listed["ObjectTypeName"], listed["Tags"]) == ("crm", {"a": "2"})
    client.untag_resource(resourceArn=base, tagKeys=["a"])
    assert "tags" not in client.list_tags_for_resource(resourceArn=base)
    for wrong in (f"{base}x", f"{base}/object-types/none", "arn:aws:profile:x"):
        assert refusal(client.list_tags_for_resource, resourceArn=wrong) == "ResourceNotFoundException"
        assert refusal(client.tag_resource, resourceArn=wrong, tags={"a": "1"}) == "ResourceNotFoundException"
        assert refusal(client.untag_resource, resourceArn=wrong, tagKeys=["a"]) == "ResourceNotFoundException"


def test_an_integration_belongs_to_one_domain(client, domain):
    client.create_domain(DomainName="other", DefaultExpirationDays=1)
    put_one = {"Uri": "arn:x", "ObjectTypeName": "crm"}
    made = client.put_integration(DomainName=domain, **put_one)
    assert client.get_integration(DomainName=domain, Uri="arn:x")["CreatedAt"] == made["CreatedAt"]
    assert refusal(client.put_integration, DomainName="other", **put_one) == "BadRequestException"
    assert refusal(client.get_integration, DomainName="other", Uri="arn:x") == "ResourceNotFoundException"
    assert refusal(client.put_integration, DomainName=domain) == "BadRequestException"
    flow = {
        "FlowName": "daily", "KmsArn": "arn:aws:kms:us-east-1:000000000000:key/k", "Tasks": [],
        "SourceFlowConfig": {
            "ConnectorType": "S3", "SourceConnectorProperties": {"S3": {"BucketName": "b-1"}}
        },
        "TriggerConfig": {"TriggerType": "OnDemand"},
    }  # fmt: skip
    flowing = client.put_integration(DomainName=domain, ObjectTypeName="crm", FlowDefinition=flow)
    assert flowing["Uri"].endswith(":flow/daily")
    assert [i["Uri"] for i in client.list_integrations(DomainName=domain, MaxResults=1)["Items"]] == ["arn:x"]
    (listed,) = client.list_account_integrations(Uri="arn:x")["Items"]
    assert listed["DomainName"] == domain
    client.delete_integration(DomainName=domain, Uri="arn:x")
    assert refusal(client.delete_integration, DomainName=domain, Uri="arn:x") == "ResourceNotFoundException"


def test_a_template_is_an_object_type_that_needs_no_definition(client, domain):
    listed = client.list_profile_object_type_templates(MaxResults=100)["Items"]
    for item in listed:
        template = client.get_profile_object_type_template(TemplateId=item["TemplateId"])
        assert set(template["Keys"])
        answer = client.put_profile_object_type(
            DomainName=domain,
            ObjectTypeName=item["TemplateId"],
            Description="x",
            TemplateId=item["TemplateId"],
        )
        assert answer["Fields"] == template["Fields"]
        client.delete_profile_object_type(DomainName=domain, ObjectTypeName=item["TemplateId"])
    contact = {"ContactId": "c-1", "CustomerEndpoint": {"Address": "+12065550100"}}
    put(client, domain, contact, "CTR")
    put(client, domain, {**contact, "ContactId": "c-2"}, "CTR")
    assert len(search(client, domain, "_phone", "2065550100")) == 2  # documented: CTR infers a profile each
    put(client, domain, {**contact, "ContactId": "c-3"}, "CTR-AutoAssociateOnly")
    assert search(client, domain, "_ctrContactId", "c-3") == []
    assert refusal(client.get_profile_object_type_template, TemplateId="none") == "ResourceNotFoundException"
    none = {"DomainName": domain, "ObjectTypeName": "none", "ProfileId": NOBODY}
    assert refusal(client.list_profile_objects, **none) == "ResourceNotFoundException"


def test_deleting_an_object_type_scrubs_what_it_wrote_and_nothing_else(client, domain):
    client.put_profile_object_type(DomainName=domain, ObjectTypeName="crm", **CRM)
    put(client, domain, {"id": "1", "mail": "a@x.io", "first": "Ana", "at": {"city": "Ulm"}})
    (made,) = search(client, domain, "crmId", "1")
    assert (made["BusinessName"], made["Address"]) == ("Ana ", {"City": "Ulm"})
    client.update_profile(DomainName=domain, ProfileId=made["ProfileId"], Address={"City": "Bonn"})
    client.delete_profile_object_type(DomainName=domain, ObjectTypeName="crm")
    (left,) = client.batch_get_profile(DomainName=domain, ProfileIds=[made["ProfileId"]])["Profiles"]
    assert left == {"ProfileId": made["ProfileId"], "Address": {"City": "Bonn"}}
    assert (
        refusal(client.search_profiles, DomainName=domain, KeyName="crmId", Values=["1"])
        == "BadRequestException"
    )
    gone = {"DomainName": domain, "ObjectTypeName": "crm"}
    assert refusal(client.delete_profile_object_type, **gone) == "ResourceNotFoundException"
    assert refusal(client.get_profile_object_type, **gone) == "ResourceNotFoundException"
    assert client.get_domain(DomainName=domain)["Stats"]["ObjectCount"] == 0


def test_an_object_can_be_filtered_replaced_and_deleted_once(client, domain):
    client.put_profile_object_type(DomainName=domain, ObjectTypeName="crm", **CRM)
    key = put(client, domain, {"id": "1", "mail": "a@x.io"})
    assert put(client, domain, {"id": "1", "mail": "b@x.io"}) == key
    put(client, domain, {"id": "2", "mail": "a@x.io"})
    (made,) = search(client, domain, "crmId", "1")
    owner = {"DomainName": domain, "ObjectTypeName": "crm", "ProfileId": made["ProfileId"]}
    (stored,) = client.list_profile_objects(**owner)["Items"]
    assert json.loads(stored["Object"])["mail"] == "b@x.io"
    for value, count in (("B@x.io", 1), ("a@x.io", 0)):
        chosen = {"KeyName": "_email", "Values": [value]}
        assert len(client.list_profile_objects(**owner, ObjectFilter=chosen)["Items"]) == count
    bad = {"KeyName": "_phone", "Values": ["1"]}
    assert refusal(client.list_profile_objects, **owner, ObjectFilter=bad) == "BadRequestException"
    client.delete_profile_object(**owner, ProfileObjectUniqueKey=key)
    assert search(client, domain, "crmId", "1") == []
    again = {**owner, "ProfileObjectUniqueKey": key}
    assert refusal(client.delete_profile_object, **again) == "ResourceNotFoundException"
    for body in ("{", "[]", '{"id": NaN}', '{"mail": "a@x.io"}', '{"id": "\\ud800"}'):
        wrong = {"DomainName": domain, "ObjectTypeName": "crm", "Object": body}
        assert refusal(client.put_profile_object, **wrong) == "BadRequestException"


def test_history_and_jobs_can_be_read_one_by_one(client, domain, store):
    ana, ben = (create(client, domain, FirstName="Ana", EmailAddress="a@x.io") for _ in range(2))
    owner = {"DomainName": domain, "ProfileId": ana}
    client.merge_profiles(DomainName=domain, MainProfileId=ana, ProfileIdsToBeMerged=[ben])
    records = client.list_profile_history_records(**owner, ActionType="MERGED")["ProfileHistoryRecords"]
    record = client.get_profile_history_record(**owner, Id=records[0]["Id"])
    assert json.loads(record["Content"])["ProfileId"] == ana
    victim = client.list_profile_history_records(DomainName=domain, ProfileId=ben)["ProfileHistoryRecords"]
    assert [r["ActionType"] for r in victim] == ["CREATED", "DELETED_BY_MERGE"]
    assert refusal(client.get_profile_history_record, **owner, Id=NOBODY) == "ResourceNotFoundException"
    unknown = {"DomainName": domain, "ProfileId": NOBODY}
    assert refusal(client.list_profile_history_records, **unknown) == "ResourceNotFoundException"
    assert client.list_identity_resolution_jobs(DomainName=domain)["IdentityResolutionJobsList"] == []
    assert (
        refusal(client.get_identity_resolution_job, DomainName=domain, JobId=NOBODY)
        == "ResourceNotFoundException"
    )
