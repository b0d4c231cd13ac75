"""The modelled errors of Customer Profiles.

Refusal                  carries the exception's name, its HTTP status and a message without customer data
├── BadRequest           400 BadRequestException
├── AccessDenied         403 AccessDeniedException: only on demand, the service checks no permissions
├── NotFound             404 ResourceNotFoundException
├── Throttled            429 ThrottlingException
├── InternalFailure      500 InternalServerException
├── Unavailable          503 ServiceUnavailableException: about to stop, nothing was done
├── UnknownPath          404 UnknownOperationException: no operation of the API has this method and path
└── NotHere              501 NotImplementedException: an operation of the API that this service lacks
"""

from __future__ import annotations

from typing import ClassVar


class Refusal(Exception):
    """An answer other than success."""

    status: ClassVar[int] = 500
    code: ClassVar[str] = "InternalServerException"


class BadRequest(Refusal):
    """The request breaks a constraint or contradicts the domain's state."""

    status = 400
    code = "BadRequestException"


class AccessDenied(Refusal):
    """The caller may not do this; nothing was done."""

    status = 403
    code = "AccessDeniedException"


class NotFound(Refusal):
    """The domain, profile, object, type, integration or tag owner is not there."""

    status = 404
    code = "ResourceNotFoundException"


class Throttled(Refusal):
    """Too many calls; nothing was done."""

    status = 429
    code = "ThrottlingException"


class InternalFailure(Refusal):
    """The service failed."""


class Unavailable(Refusal):
    """The service is about to stop; nothing was done."""

    status = 503
    code = "ServiceUnavailableException"


class UnknownPath(Refusal):
    """No operation answers to this method and path."""

    status = 404
    code = "UnknownOperationException"


class NotHere(Refusal):
    """The operation exists in the API and not here."""

    status = 501
    code = "NotImplementedException"
