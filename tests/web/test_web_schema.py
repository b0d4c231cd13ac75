"""Every operation that the app documents, asked by schemathesis with what fits its schema."""

from __future__ import annotations

import os

import schemathesis
from asking import TOKEN
from hypothesis import HealthCheck, given, settings

from resolver.web.guard import COOKIE

EXAMPLES = 500 if os.environ.get("RESOLVER_SOAK") else 10
OWN = {"host": "127.0.0.1", "sec-fetch-site": "same-origin", "cookie": f"{COOKIE}={TOKEN}"}


def test_no_documented_operation_fails(app):
    schema = schemathesis.openapi.from_asgi("/openapi.json", app, headers=OWN)
    operations = [found.ok() for found in schema.get_all_operations()]
    assert len(operations) > 25
    for operation in operations:
        check(operation)


def check(operation):
    @settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
    @given(case=operation.as_strategy())
    def ask(case):
        assert case.call(headers=OWN).status_code < 500, operation.label

    ask()
