"""What a failed call tells: only what surely did not reach the service counts as not executed."""

from __future__ import annotations

import pytest
from botocore import exceptions as aws

from resolver.profiles.domain import ConnectionSettings, connect
from resolver.profiles.failures import Failure, kind_of

AT = {"endpoint_url": "https://x"}


def answer(status, code="SomethingElse"):
    return aws.ClientError(
        {"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}, "MergeProfiles"
    )


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (answer(429), Failure.THROTTLED),
        (answer(400, "ThrottlingException"), Failure.THROTTLED),
        (answer(400), Failure.REFUSED),
        (answer(403, "AccessDeniedException"), Failure.REFUSED),
        (answer(408), Failure.UNKNOWN),
        (answer(500), Failure.UNKNOWN),
        (answer(503), Failure.UNKNOWN),
        (answer(504), Failure.UNKNOWN),
        (aws.EndpointConnectionError(**AT), Failure.UNSENT),
        (aws.ConnectTimeoutError(**AT), Failure.UNSENT),
        (aws.NoCredentialsError(), Failure.UNSENT),
        (aws.ReadTimeoutError(**AT), Failure.UNKNOWN),
        (aws.ConnectionClosedError(**AT), Failure.UNKNOWN),
        (aws.SSLError(error="bad record mac", **AT), Failure.UNKNOWN),
    ],
)
def test_a_merge_counts_as_not_sent_only_where_that_is_certain(error, kind):
    assert kind_of(error) is kind


def test_merges_are_sent_once_and_waited_for_two_minutes_at_least():
    clients = connect(ConnectionSettings("http://127.0.0.1:9", "us-east-1"))
    assert clients.merge.meta.config.read_timeout >= 120
    assert clients.merge.meta.config.retries["total_max_attempts"] == 1
