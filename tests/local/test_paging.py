"""Every list in pages of every size, and every token that a page does not deserve, over both transports."""

from __future__ import annotations

import itertools

import pytest
from botocore import xform_name
from botocore.exceptions import ClientError
from checked_service import CheckedService
from conftest import connected_twice
from worlds import large

from resolver.local.operations import HANDLERS
from resolver.local.store import Store
from resolver.local.wire import service_model

COUNT = 3
EVERY_SIZE = {"embedded": range(1, 101), "http": (1, 2, COUNT, 100)}
HERE = {"DomainName": "$domain"}
# operation: a request with at least COUNT items, the member that holds them, changes that make it another one
PAGED = {
    "ListDomains": ({}, "Items", None),
    "SearchProfiles": (
        {**HERE, "KeyName": "_phone", "Values": ["2065550100"]},
        "Items",
        {"Values": ["+12065550100"]},
    ),
    "ListProfileHistoryRecords": (
        {**HERE, "ProfileId": "$ana"},
        "ProfileHistoryRecords",
        {"ActionType": "INGESTED"},
    ),
    "GetMatches": (HERE, "Matches", None),
    "GetSimilarProfiles": (
        {
            **HERE,
            "MatchType": "ML_BASED_MATCHING",
            "SearchKey": "profileId",
            "SearchValue": "$ana",
        },
        "ProfileIds",
        {"SearchKey": "matchId", "SearchValue": "$match"},
    ),
    "ListRuleBasedMatches": (HERE, "MatchIds", None),
    "ListIdentityResolutionJobs": (HERE, "IdentityResolutionJobsList", None),
    "ListProfileObjects": (
        {**HERE, "ProfileId": "$ana", "ObjectTypeName": "order"},
        "Items",
        {"ObjectFilter": {"KeyName": "_email", "Values": ["ana@x.io"]}},
    ),
    "ListProfileObjectTypes": (HERE, "Items", None),
    "ListProfileObjectTypeTemplates": ({}, "Items", None),
    "ListIntegrations": (HERE, "Items", {"IncludeHidden": True}),
    "ListAccountIntegrations": ({"Uri": "$uri"}, "Items", {"IncludeHidden": True}),
}
ONE_PAGE = {"ListAccountIntegrations"}  # a Uri belongs to one domain: no list of these is ever longer


@pytest.fixture(scope="module", params=["embedded", "http"])
def served(request):
    """(transport, client, client that validates nothing, COUNT full domains)."""
    store = Store.open(None)
    with connected_twice(CheckedService(store), request.param) as (client, careless):
        worlds = [large(client, store, COUNT) for _ in range(COUNT)]
        for world in worlds:
            asked = world.filled(PAGED["GetSimilarProfiles"][0])
            world.names["match"] = client.get_similar_profiles(**asked)["MatchId"]
        yield request.param, client, careless, worlds
    store.close()


def call(client, operation, parameters):
    return getattr(client, xform_name(operation))(**parameters)


def pages(client, operation, parameters, size):
    """Every page of a list."""
    more = {}
    for _ in range(200):
        page = call(client, operation, {**parameters, **more, "MaxResults": size})
        yield page[PAGED[operation][1]]
        if "NextToken" not in page:
            return
        more = {"NextToken": page["NextToken"]}
    raise AssertionError("pages without end")


def first_token(client, operation, world):
    return call(client, operation, {**world.filled(PAGED[operation][0]), "MaxResults": 1})["NextToken"]


def refused(client, operation, parameters):
    with pytest.raises(ClientError) as error:
        call(client, operation, parameters)
    assert error.value.response["Error"]["Code"] == "BadRequestException", parameters
    return error.value.response["Error"]["Message"]


def test_every_operation_with_pages_is_listed_here():
    model = service_model()
    assert PAGED.keys() == {
        name for name in HANDLERS if "NextToken" in model.operation_model(name).input_shape.members
    }


@pytest.mark.parametrize("operation", sorted(PAGED))
def test_pages_of_any_size_hold_everything_once_in_one_order(served, operation):
    transport, client, _, worlds = served
    parameters = worlds[0].filled(PAGED[operation][0])
    whole = next(pages(client, operation, parameters, 100))
    assert len(whole) >= COUNT or operation in ONE_PAGE
    for size in EVERY_SIZE[transport]:
        read = list(pages(client, operation, parameters, size))
        assert list(itertools.chain.from_iterable(read)) == whole
        assert [len(page) for page in read[:-1]] == [size] * (len(read) - 1)
        assert len(read) == -(-len(whole) // size)  # no empty page after a full one


@pytest.mark.parametrize("operation", sorted(PAGED))
def test_a_page_size_outside_1_to_100_is_refused_by_name(served, operation):
    _, _, careless, worlds = served
    parameters = worlds[0].filled(PAGED[operation][0])
    for size in (0, 101, -1, 2**31, 2**70, 1.5, "", "x", "1 ", True):
        assert "MaxResults" in refused(careless, operation, {**parameters, "MaxResults": size})


@pytest.mark.parametrize("operation", sorted(PAGED))
def test_a_token_that_the_list_did_not_give_is_refused_by_name(served, operation):
    _, client, careless, worlds = served
    request, _, changes = PAGED[operation]
    here, there, *_ = worlds
    parameters = here.filled(request)
    hostile = [
        "garbage",
        "AAAA",
        "é" * 10,
        "\x00",
        "9" * 1025,
        "A" * 1024,
        "",
        "%",
        "null",
        "../..",
        "' OR 1",
    ]
    hostile += [first_token(client, name, here) for name in PAGED if name not in {operation, *ONE_PAGE}]
    if operation not in ONE_PAGE:
        own = first_token(client, operation, here)
        hostile += [own[:-1], own[:-4], own[1:], own + "=", own + own, own.swapcase(), own[::-1]]
        if "DomainName" in request:
            hostile.append(first_token(client, operation, there))
    for token in hostile:
        assert "NextToken" in refused(careless, operation, {**parameters, "NextToken": token}), token
    if changes and operation not in ONE_PAGE:
        other = here.filled({**request, **changes})
        assert "NextToken" in refused(careless, operation, {**other, "NextToken": own})


@pytest.mark.parametrize("operation", sorted(set(PAGED) - ONE_PAGE))
def test_a_token_is_good_twice_and_for_another_page_size(served, operation):
    _, client, _, worlds = served
    parameters = worlds[0].filled(PAGED[operation][0])
    whole = next(pages(client, operation, parameters, 100))
    token = first_token(client, operation, worlds[0])
    for size in (1, 2, 1):
        again = call(client, operation, {**parameters, "NextToken": token, "MaxResults": size})
        assert again[PAGED[operation][1]] == whole[1 : 1 + size]


def test_boto3s_own_paginator_reads_every_page(served):
    _, client, _, worlds = served
    parameters = worlds[0].filled(PAGED["GetSimilarProfiles"][0])
    whole = client.get_similar_profiles(**parameters)["ProfileIds"]
    read = client.get_paginator("get_similar_profiles").paginate(
        **parameters, PaginationConfig={"PageSize": 1}
    )
    assert [page["ProfileIds"] for page in read] == [[one] for one in whole]
