"""A Customer Profiles domain over the wire: clients, paced reads, and what the domain says of itself."""

from __future__ import annotations

import os
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC
from functools import partial
from typing import TYPE_CHECKING, Any, Final, TypeVar
from urllib.parse import urlsplit

import boto3
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from resolver.errors import BadInput, UnknownDomain, Unreachable
from resolver.profiles.failures import Failure, code_of, described, is_not_found, kind_of
from resolver.profiles.pace import Pace, Tally

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from mypy_boto3_customer_profiles import CustomerProfilesClient

Item = TypeVar("Item")
Read = TypeVar("Read")

#: Reads are sent again after a 5xx, a time-out or a dropped connection, waiting longer each time.
READ_ATTEMPTS: Final = 5
#: A throttled read was not executed and costs nothing but time: it is asked again this often.
THROTTLE_ATTEMPTS: Final = 30
FIRST_WAIT: Final = 0.1  # seconds before the second attempt, doubled from there
LONGEST_WAIT: Final = 5.0  # seconds
LOOPBACK: Final = ("127.0.0.1", "localhost", "::1")
EMBEDDED_REGION: Final = "us-east-1"  # any will do: the embedded service takes it from the signature, if any
LARGEST_PAGE: Final = 100  # max-results of every list operation (service model)
NAMED_DOMAINS: Final = 10  # of the domains that are there, in the message about one that is not


@dataclass(frozen=True, slots=True)
class ConnectionSettings:
    """Where to find the service; null leaves it to AWS's own environment variables and files.

    At a loopback endpoint without a named profile or a key in the environment, requests go unsigned: the
    embedded service checks no signature, and a machine without AWS has none to give.

    Time-outs in seconds. ``calls_per_second`` bounds reads and ``merges_per_second`` merges; null is no
    limit, for an endpoint that nobody shares.
    """

    endpoint_url: str | None = None
    region: str | None = None
    profile: str | None = None
    calls_per_second: float | None = 20.0
    merges_per_second: float | None = 10.0
    connect_timeout: float = 5.0
    read_timeout: float = 60.0
    merge_read_timeout: float = 180.0
    workers: int = 8


@dataclass(frozen=True, slots=True)
class Clients:
    """Two boto3 clients, neither of which sends anything twice.

    botocore's own retries are off in both: they would resend a merge whose outcome is unknown, and they
    would go past the pace. ``read`` is for calls that ``Domain.ask`` repeats; ``merge`` waits longer, because
    a time-out is the one failure that leaves the outcome unknown. ``identity`` makes an STS client with the
    same credentials; null where requests are not signed.
    """

    read: CustomerProfilesClient
    merge: CustomerProfilesClient
    endpoint: str
    read_pace: Pace
    merge_pace: Pace
    workers: int
    pool: ThreadPoolExecutor
    identity: Callable[[], Any] | None = None


@dataclass(frozen=True, slots=True)
class DomainDescription:
    """What the domain says of itself; ``merging_by_aws`` names the settings by which AWS merges there.

    ``rule_matching`` says that matching by the domain's own rules is on and ready. ``created_at`` is an ISO
    moment: a domain that was deleted and made again is another one.
    """

    name: str
    profile_count: int
    object_count: int
    matching_enabled: bool
    merging_by_aws: tuple[str, ...]
    created_at: str = ""
    rule_matching: bool = False


@dataclass(frozen=True, slots=True)
class Domain:
    """One domain, and the way to ask it.

    ``calls`` counts what was sent, by operation, resends included; ``lacking`` collects the operations that
    the endpoint turned out not to have.
    """

    name: str
    clients: Clients
    calls: Tally = field(default_factory=Tally)
    lacking: set[str] = field(default_factory=set)
    sleep: Callable[[float], object] = time.sleep

    def ask(self, operation: str, **request: Any) -> dict[str, Any]:
        """The answer to one read, under the pace, asked again while the failure may pass.

        Raises:
            ClientError: the service refused it; the caller knows which refusals it expects.
            Unreachable, ServiceFailed: it kept failing.
        """
        return self.ask_account(operation, DomainName=self.name, **request)

    def ask_account(self, operation: str, **request: Any) -> dict[str, Any]:
        """As ``ask``, for what is asked of the account and not of the domain."""
        send = getattr(self.clients.read, operation)
        failed = throttled = 0
        while True:
            started = self.clients.read_pace.wait()
            self.calls.add(operation)
            try:
                answer: dict[str, Any] = send(**request)
            except (ClientError, BotoCoreError) as error:
                kind = kind_of(error)
                if kind is Failure.THROTTLED and throttled < THROTTLE_ATTEMPTS:
                    throttled += 1
                    self.clients.read_pace.throttled(started)
                elif kind is Failure.UNKNOWN and failed + 1 < READ_ATTEMPTS:
                    failed += 1
                elif kind is Failure.REFUSED:
                    raise
                else:
                    raise described(error, operation, self.clients.endpoint) from None
                self.sleep(min(FIRST_WAIT * 2 ** (failed + throttled - 1), LONGEST_WAIT))
            else:
                self.clients.read_pace.answered()
                return answer

    def require(self, operation: str, **request: Any) -> dict[str, Any]:
        """As ``ask``, for a read that has no business being refused.

        Raises:
            ServiceFailed: operation, error code and request id.
        """
        try:
            return self.ask(operation, **request)
        except ClientError as error:
            raise described(error, operation, self.clients.endpoint) from None

    def pages(self, operation: str, **request: Any) -> Iterator[dict[str, Any]]:
        """Every page of a list, until no token comes back: a short or an empty page is not the end.

        Raises:
            ClientError: refused, also where a token expired on the way.
        """
        yield from self.account_pages(operation, DomainName=self.name, **request)

    def account_pages(self, operation: str, **request: Any) -> Iterator[dict[str, Any]]:
        """As ``pages``, for what is asked of the account and not of the domain."""
        page = self.ask_account(operation, **request)
        yield page
        while token := page.get("NextToken"):
            page = self.ask_account(operation, **request, NextToken=token)
            yield page

    def each(self, read: Callable[[Item], Read], items: Iterable[Item]) -> list[Read]:
        """What ``read`` returns for each item, in their order; ``workers`` of them at a time."""
        return list(self.clients.pool.map(read, items))


def connect(settings: ConnectionSettings) -> Clients:
    """Clients for the settings; nothing is sent yet.

    Raises:
        Unreachable: no Region, an unknown AWS profile, an endpoint that is no URL.
    """
    try:
        local = (
            EMBEDDED_REGION
            if is_loopback(settings.endpoint_url) and "AWS_DEFAULT_REGION" not in os.environ
            else None
        )
        region = settings.region or os.environ.get("AWS_REGION") or local
        session = boto3.Session(profile_name=settings.profile, region_name=region)
        read, merge = (
            session.client("customer-profiles", endpoint_url=settings.endpoint_url, config=config)
            for config in (
                _config(settings, settings.read_timeout),
                _config(settings, settings.merge_read_timeout),
            )
        )
    except (BotoCoreError, ValueError) as error:
        where = settings.endpoint_url or "Customer Profiles"
        name = type(error).__name__
        raise Unreachable(
            f"{where}: cannot connect ({name}): check --region, --profile and --endpoint-url"
        ) from None
    return Clients(
        read=read,
        merge=merge,
        endpoint=read.meta.endpoint_url,
        read_pace=Pace(settings.calls_per_second),
        merge_pace=Pace(settings.merges_per_second),
        workers=settings.workers,
        pool=ThreadPoolExecutor(settings.workers, thread_name_prefix="read"),
        identity=None
        if _needs_no_signature(settings)
        else partial(session.client, "sts", config=_config(settings, settings.read_timeout)),
    )


def _needs_no_signature(settings: ConnectionSettings) -> bool:
    named = settings.profile or any(os.environ.get(name) for name in ("AWS_PROFILE", "AWS_ACCESS_KEY_ID"))
    return is_loopback(settings.endpoint_url) and not named


def is_loopback(endpoint_url: str | None) -> bool:
    """Whether an endpoint is on this machine: the embedded service."""
    return urlsplit(endpoint_url or "").hostname in LOOPBACK


def _config(settings: ConnectionSettings, read_timeout: float) -> Config:
    return Config(
        signature_version=UNSIGNED if _needs_no_signature(settings) else None,
        retries={"total_max_attempts": 1, "mode": "standard"},
        connect_timeout=settings.connect_timeout,
        read_timeout=read_timeout,
        max_pool_connections=2 * settings.workers,
    )


def describe_domain(domain: Domain) -> DomainDescription:
    """The domain's counts and who merges in it. The first question to ask: it proves name, address and keys.

    Raises:
        UnknownDomain: names the domains that are there.
        Unreachable: nothing answers, or not to these credentials.
    """
    try:
        answer = domain.ask("get_domain")
    except ClientError as error:
        if is_not_found(error):
            raise UnknownDomain(_missing(domain)) from None
        if code_of(error) == "BadRequestException":
            raise BadInput(f"{domain.name!r} cannot be the name of a domain") from None
        raise described(error, "get_domain", domain.clients.endpoint) from None
    if answer.get("DomainName") != domain.name:  # a web site's page parses as an answer without members
        raise Unreachable(f"{domain.clients.endpoint}: what answers there is not Customer Profiles")
    stats = answer.get("Stats") or {}
    matching, by_rules = answer.get("Matching") or {}, answer.get("RuleBasedMatching") or {}
    return DomainDescription(
        name=domain.name,
        profile_count=int(stats.get("ProfileCount", 0)),
        object_count=int(stats.get("ObjectCount", 0)),
        matching_enabled=bool(matching.get("Enabled")),
        merging_by_aws=tuple(_merging_by_aws(matching, by_rules)),
        created_at=answer["CreatedAt"].astimezone(UTC).isoformat() if "CreatedAt" in answer else "",
        rule_matching=bool(by_rules.get("Enabled")) and by_rules.get("Status") == "ACTIVE",
    )


def _merging_by_aws(matching: dict[str, Any], rules: dict[str, Any]) -> Iterator[str]:
    if matching.get("Enabled") and (matching.get("AutoMerging") or {}).get("Enabled"):
        yield "Matching.AutoMerging"
    if rules.get("Enabled") and rules.get("MaxAllowedRuleLevelForMerging"):
        yield "RuleBasedMatching.MaxAllowedRuleLevelForMerging"


def _missing(domain: Domain) -> str:
    text = f"no domain {domain.name} at {domain.clients.endpoint}"
    try:
        items = domain.clients.read.list_domains(MaxResults=LARGEST_PAGE).get("Items", [])
    except (ClientError, BotoCoreError):
        return text  # the list is a courtesy; a role may lack the permission
    names = sorted(item["DomainName"] for item in items)
    there = ", ".join(names[:NAMED_DOMAINS]) + (", …" if len(names) > NAMED_DOMAINS else "")
    return f"{text} (there: {there or 'none'})"
