"""What went wrong with a call, in the terms of this project.

botocore raises some forty kinds of error and puts request parameters into the texts of a few. What leaves
this room names the operation, the error code, the request id and the endpoint: never a value.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from botocore import exceptions as aws
from botocore.parsers import ResponseParserError

from resolver.errors import ResolverError, ServiceFailed, Unreachable

#: Codes of an endpoint that says "slower": the request was not executed and may be sent again.
THROTTLED: Final = frozenset(
    {
        "ThrottlingException",
        "Throttling",
        "TooManyRequestsException",
        "RequestLimitExceeded",
        "SlowDown",
        "429",
    }
)

#: Codes that mean the credentials are wrong for this endpoint (or this Region), whatever was asked.
BAD_CREDENTIALS: Final = frozenset(
    {
        "UnrecognizedClientException",
        "InvalidClientTokenId",
        "InvalidSignatureException",
        "SignatureDoesNotMatch",
        "ExpiredTokenException",
        "ExpiredToken",
        "MissingAuthenticationTokenException",
        "IncompleteSignature",
    }
)

#: Codes of an endpoint that does not know the operation (an older service, or the embedded one).
UNSUPPORTED: Final = frozenset(
    {"UnknownOperationException", "NotImplementedException", "NotImplemented", "501"}
)

_NO_CREDENTIALS: Final = (
    aws.NoCredentialsError,
    aws.PartialCredentialsError,
    aws.CredentialRetrievalError,
    aws.NoAuthTokenError,
    aws.SSOTokenLoadError,
    aws.UnauthorizedSSOTokenError,
    aws.TokenRetrievalError,
)
_NO_CONNECTION: Final = (
    aws.EndpointConnectionError,
    aws.ConnectTimeoutError,
    aws.ProxyConnectionError,
    aws.SSLError,
)
#: A broken record in the answer is an SSLError, too: the request may have been executed.
_UNSENT: Final = tuple(kind for kind in _NO_CONNECTION if kind is not aws.SSLError)

#: What is raised for errors that are no answer of the service; the first row that fits.
_TEXTS: Final[tuple[tuple[tuple[type[Exception], ...], type[ServiceFailed], str], ...]] = (
    (
        _NO_CREDENTIALS,
        Unreachable,
        "{endpoint}: no usable AWS credentials ({code}): set AWS_PROFILE, --profile or access keys",
    ),
    (
        _NO_CONNECTION,
        Unreachable,
        "{endpoint}: no answer to {operation} ({code}): is the address right, and reachable from here?",
    ),
    (
        (aws.ReadTimeoutError, aws.ConnectionClosedError, aws.HTTPClientError),
        Unreachable,
        "{endpoint}: the connection was lost during {operation} ({code})",
    ),
    (
        (ResponseParserError,),
        Unreachable,
        "{endpoint}: what answers {operation} there is not Customer Profiles ({code})",
    ),
    ((aws.ParamValidationError,), ServiceFailed, "{operation}: the request does not fit the service's model"),
)

HTTP_REQUEST_TIMEOUT: Final = 408  # of a proxy between
HTTP_SERVER_ERROR: Final = 500
HTTP_NOT_IMPLEMENTED: Final = 501


class Failure(StrEnum):
    """What a failed call tells about its effect."""

    THROTTLED = "throttled"  #: 429: nothing was done
    REFUSED = "refused"  #: a 4xx: nothing was done, and the same request will be refused again
    UNSENT = "unsent"  #: no connection or no credentials: nothing reached the service
    UNKNOWN = "unknown"  #: 5xx, time-out, dropped connection: it may have been done, now or soon


def code_of(error: Exception) -> str:
    """The service's error code, or the exception's name where the service gave none."""
    if isinstance(error, aws.ClientError):
        return str(error.response.get("Error", {}).get("Code") or status_of(error))
    return type(error).__name__


def status_of(error: Exception) -> int | None:
    """The HTTP status of an answer, null where there was none."""
    if isinstance(error, aws.ClientError):
        return error.response.get("ResponseMetadata", {}).get("HTTPStatusCode")
    return None


def kind_of(error: Exception) -> Failure:
    """What the error says about whether the request was executed; unknown unless it is certain."""
    if isinstance(error, aws.ClientError):
        status = status_of(error)
        if code_of(error) in THROTTLED or status == 429:  # noqa: PLR2004  # the HTTP status is its own name
            return Failure.THROTTLED
        if status in (None, HTTP_REQUEST_TIMEOUT) or (
            status >= HTTP_SERVER_ERROR and status != HTTP_NOT_IMPLEMENTED
        ):
            return Failure.UNKNOWN
        return Failure.REFUSED
    if isinstance(error, (*_NO_CREDENTIALS, *_UNSENT)):
        return Failure.UNSENT
    if isinstance(error, (aws.ParamValidationError, aws.NoRegionError, aws.EndpointProviderError)):
        return Failure.UNSENT
    return Failure.UNKNOWN


def is_unsupported(error: Exception) -> bool:
    """Whether the endpoint says that it has no such operation."""
    return code_of(error) in UNSUPPORTED or status_of(error) == HTTP_NOT_IMPLEMENTED


def is_not_found(error: Exception) -> bool:
    """Whether the endpoint says that what was named is not there."""
    return code_of(error) == "ResourceNotFoundException"


def is_forbidden(error: Exception) -> bool:
    """Whether the endpoint says that the role may not make this call."""
    return code_of(error) == "AccessDeniedException"


def described(error: Exception, operation: str, endpoint: str) -> ResolverError:
    """The error of this project that stands for one of botocore's: names and ids, no values."""
    if isinstance(error, aws.ClientError):
        return _answered(error, operation, endpoint)
    code = code_of(error)
    for kinds, raised, text in _TEXTS:
        if isinstance(error, kinds):
            return raised(text.format(endpoint=endpoint, operation=operation, code=code))
    return ServiceFailed(f"{operation} at {endpoint} failed: {code}")


def _answered(error: aws.ClientError, operation: str, endpoint: str) -> ResolverError:
    code, status = code_of(error), status_of(error)
    if code in BAD_CREDENTIALS:
        return Unreachable(
            f"{endpoint}: the credentials are not accepted there ({code}): "
            "another account, another Region, or expired?"
        )
    if code == str(status):  # Customer Profiles always names its errors
        return Unreachable(
            f"{endpoint}: what answers {operation} there is not Customer Profiles (HTTP {status})"
        )
    request_id = error.response.get("ResponseMetadata", {}).get("RequestId") or "not given"
    return ServiceFailed(f"{operation} at {endpoint}: {code} (HTTP {status}, request id {request_id})")
