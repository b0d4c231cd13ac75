from __future__ import annotations

from dataclasses import asdict

import pytest
from embedded import NAME, embedded, pid

from resolver.errors import UnknownDomain
from resolver.profiles.domain import Domain
from resolver.profiles.overview import read_overview
from resolver.report.domain_text import render_domain

URI = "arn:aws:appflow:eu-west-1:123456789012:flow/crm"
ARN = f"arn:aws:profile:us-east-1:000000000000:domains/{NAME}"


@pytest.fixture
def domain():
    with embedded([{"ProfileId": pid(1), "FirstName": "Ana"}], transport="http") as (domain, _):
        read = domain.clients.read
        read.put_profile_object_type(
            DomainName=NAME,
            ObjectTypeName="Crm",
            Description="x",
            SourceLastUpdatedTimestampFormat="EpochMilli",
            Fields={
                "id": {"Source": "_source.id"},
                "at": {"Source": "_source.at", "Target": "_profile.SourceLastUpdatedTimestamp"},
            },
            Keys={"crmId": [{"FieldNames": ["id"], "StandardIdentifiers": ["UNIQUE", "PROFILE"]}]},
        )
        read.put_integration(DomainName=NAME, Uri=URI, ObjectTypeName="Crm")
        read.tag_resource(resourceArn=ARN, tags={"team": "care"})
        yield domain


def test_a_domain_is_shown_with_all_that_the_read_api_tells(domain):
    overview = read_overview(domain)

    assert overview.stats["ProfileCount"] == overview.description.profile_count == 1
    (type_,) = overview.object_types
    assert (type_["ObjectTypeName"], type_["Keys"], type_["Dated"]) == (
        "Crm",
        {"crmId": ["PROFILE", "UNIQUE"]},
        True,
    )
    assert [item["Uri"] for item in overview.integrations] == [URI]
    assert overview.sharing == []
    assert "CTR" in {item["TemplateId"] for item in overview.templates}
    assert overview.tags == {"team": "care"}
    assert overview.domains == [NAME]
    assert overview.unread == {}
    assert {
        "get_domain", "list_integrations", "list_account_integrations", "list_profile_object_types",
        "list_profile_object_type_templates", "list_tags_for_resource", "list_domains",
    } <= set(domain.calls.counts)  # fmt: skip

    text = render_domain(asdict(overview))
    for line in ("ProfileCount", "weekly job on", "crmId (PROFILE UNIQUE)", f"{URI} → Crm", "team=care"):
        assert line in text


def test_a_part_that_may_not_be_read_is_named_and_the_rest_is_shown(domain):
    class Denied:
        status_code = 403

    refusal = {"Error": {"Code": "AccessDeniedException"}, "ResponseMetadata": {"HTTPStatusCode": 403}}
    for operation in ("ListIntegrations", "ListTagsForResource", "ListProfileObjectTypes"):
        domain.clients.read.meta.events.register(
            f"before-call.customer-profiles.{operation}", lambda **_: (Denied, refusal)
        )
    overview = read_overview(domain)

    assert overview.unread == dict.fromkeys(
        ("list_integrations", "list_tags_for_resource", "list_profile_object_types"), "AccessDeniedException"
    )
    assert overview.tags == {"team": "care"}  # as GetDomain says
    assert "Not readable        list_integrations (AccessDeniedException)" in render_domain(asdict(overview))


def test_an_unknown_domain_is_an_error_and_no_empty_page(domain):
    with pytest.raises(UnknownDomain):
        read_overview(Domain("retial", domain.clients))
