"""Who the caller is, as AWS sees it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from botocore.exceptions import BotoCoreError, ClientError

from resolver.profiles.failures import described

if TYPE_CHECKING:
    from resolver.profiles.domain import Clients

#: The caller of requests that carry no signature: those to an embedded service.
UNSIGNED_CALLER: Final = "unsigned"
_ASSUMED: Final = re.compile(r"arn:([^:]*):sts::(\d{12}):assumed-role/(.+)/[^/]+")


def role_of(clients: Clients) -> str:
    """The ARN of the role or user whose credentials sign the calls; "unsigned" where none do.

    STS answers GetCallerIdentity to everybody, no permission needed (AWS STS API reference). Of an assumed
    role it names the session, which changes with every run: that becomes the role's own ARN, without its
    path, which STS does not tell.

    Raises:
        Unreachable, ServiceFailed: STS does not answer, or not to these credentials.
    """
    if clients.identity is None:
        return UNSIGNED_CALLER
    sts = clients.identity()
    try:
        arn = sts.get_caller_identity()["Arn"]
    except (ClientError, BotoCoreError) as error:
        raise described(error, "get_caller_identity", sts.meta.endpoint_url) from None
    session = _ASSUMED.fullmatch(arn)
    return "arn:{}:iam::{}:role/{}".format(*session.groups()) if session else str(arn)
