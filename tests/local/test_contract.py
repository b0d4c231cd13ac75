"""The contract of all operations through an unmodified boto3, over both transports: see `contract.TABLE`."""

from __future__ import annotations

from typing import Any

import pytest
from botocore import xform_name
from botocore.exceptions import ClientError
from checked_service import CheckedService
from conftest import connected_twice
from contract import TABLE
from contract_rows import BY_SWITCH
from worlds import small

from resolver.local.faults import Fault, Faults
from resolver.local.operations import HANDLERS
from resolver.local.request import Settings
from resolver.local.store import Store
from resolver.local.wire import service_model

OPERATIONS = sorted(TABLE)


@pytest.fixture(scope="module", params=["embedded", "http"])
def served(request):
    """(client, client that validates nothing, service); the domains in it belong to single tests."""
    store = Store.open(None)
    service = CheckedService(store, Settings(faults=Faults()))
    with connected_twice(service, request.param) as (client, careless):
        yield client, careless, service
    store.close()


@pytest.fixture(scope="module")
def unchanged(served):
    """A world for tests that show that nothing changes."""
    client, _, service = served
    return small(client, service.store)


@pytest.fixture
def world(served):
    """A world of the test's own."""
    client, _, service = served
    made = small(client, service.store)
    yield made
    service.settings.faults.clear()
    for domain in client.list_domains(MaxResults=100)["Items"]:
        if domain["DomainName"].startswith(made.names["domain"]):
            client.delete_domain(DomainName=domain["DomainName"])


def call(client, operation, parameters):
    return getattr(client, xform_name(operation))(**parameters)


def refusal(client, operation, parameters):
    with pytest.raises(ClientError) as refused:
        call(client, operation, parameters)
    answer = refused.value.response
    return answer["ResponseMetadata"]["HTTPStatusCode"], answer["Error"]["Code"], answer["Error"]["Message"]


def at(answer: Any, path: str) -> Any:
    for step in path.split("."):
        answer = answer[int(step)] if step.isdigit() else answer[step]
    return answer


def everything(store):
    """All that is stored, as text."""
    with store.reading() as session:
        tables = [name for (name,) in session.all("SELECT name FROM sqlite_schema WHERE type = 'table'")]
        return {name: session.all(f"SELECT * FROM {name}") for name in tables}  # noqa: S608 - names of ours


def documented(operation):
    return {shape.name for shape in service_model().operation_model(operation).error_shapes}


def test_every_operation_and_every_error_that_its_model_documents_has_a_row():
    assert TABLE.keys() == HANDLERS.keys()
    for operation, row in TABLE.items():
        covered = set(BY_SWITCH) | set(row.never)
        covered |= {"BadRequestException"} if row.bad else set()
        covered |= {"ResourceNotFoundException"} if row.missing else set()
        assert documented(operation) - covered == set(), operation
        assert not (row.missing and "ResourceNotFoundException" in row.never), operation


@pytest.mark.parametrize("operation", OPERATIONS)
def test_what_the_contract_calls_good_succeeds(served, world, operation):
    client, _, _ = served
    row = TABLE[operation]
    answer = call(client, operation, world.filled(row.request))
    for path, value in row.gives.items():
        assert at(answer, path) == world.filled(value), path


@pytest.mark.parametrize("operation", OPERATIONS)
def test_what_the_contract_calls_bad_is_refused_by_name_and_changes_nothing(served, unchanged, operation):
    _, careless, service = served
    row = TABLE[operation]
    before = everything(service.store)
    for situation, (changes, named) in row.bad.items():
        parameters = unchanged.filled({**row.request, **changes})
        status, code, message = refusal(careless, operation, parameters)
        assert (status, code) == (400, "BadRequestException"), (situation, code, message)
        assert named in message, (situation, message)
    assert everything(service.store) == before


@pytest.mark.parametrize("operation", [name for name in OPERATIONS if TABLE[name].missing])
def test_what_is_not_there_is_a_404_and_changes_nothing(served, unchanged, operation):
    client, _, service = served
    row = TABLE[operation]
    before = everything(service.store)
    for situation, changes in row.missing.items():
        parameters = unchanged.filled({**row.request, **changes})
        status, code, message = refusal(client, operation, parameters)
        assert (status, code) == (404, "ResourceNotFoundException"), (situation, code, message)
    assert everything(service.store) == before


@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_throttled_denied_or_failing_call_does_nothing_and_the_next_one_succeeds(served, world, operation):
    client, _, service = served
    parameters = world.filled(TABLE[operation].request)
    before = everything(service.store)
    for code, (kind, status) in BY_SWITCH.items():
        service.settings.faults.plan(operation, Fault(kind))
        assert refusal(client, operation, parameters)[:2] == (status, code)
    assert everything(service.store) == before
    call(client, operation, parameters)
