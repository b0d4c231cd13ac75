"""Use case: the least IAM policy for each phase of the job, from the operations that the phase calls."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Final, Literal

from resolver.errors import BadInput

Phase = Literal["read", "plan", "merge", "restore"]

#: What every phase reads of a domain.
_BASICS: Final = (
    *("GetDomain", "SearchProfiles", "BatchGetProfile"),
    *("ListProfileObjects", "ListProfileObjectTypes", "GetProfileObjectType"),
)
#: Which profiles the service itself holds for one person.
_GROUPS: Final = ("GetMatches", "ListRuleBasedMatches", "GetSimilarProfiles")
#: Operations per phase. A test runs each phase and finds neither a call that its lists lack nor an operation
#: on them that is never called. Actions are named like operations: Service Authorization Reference, "Amazon
#: Connect Customer Profiles", prefix ``profile``.
READS: Final[dict[Phase, tuple[str, ...]]] = {
    "read": (*_BASICS, *_GROUPS, "ListIntegrations", "ListTagsForResource"),
    # `apply --dry-run` is part of it, which reads what a merge reads
    "plan": (*_BASICS, *_GROUPS, "ListProfileHistoryRecords", "GetProfileHistoryRecord"),
    "merge": (*_BASICS, *_GROUPS, "ListProfileHistoryRecords", "GetProfileHistoryRecord"),
    "restore": _BASICS,
}
WRITES: Final[dict[Phase, tuple[str, ...]]] = {
    "read": (),
    "plan": (),
    "merge": ("MergeProfiles", "UpdateProfile", "AddProfileKey"),
    "restore": (
        *("CreateProfile", "UpdateProfile", "DeleteProfile", "AddProfileKey", "DeleteProfileKey"),
        *("PutProfileObject", "DeleteProfileObject"),
        "MergeProfiles",  # an empty profile is merged in where UpdateProfile cannot empty a field
    ),
}
#: Operations that name no domain: IAM knows no resource for them.
OF_THE_ACCOUNT: Final = ("ListDomains", "ListAccountIntegrations", "ListProfileObjectTypeTemplates")

_FORMS: Final = {
    "domain": re.compile(r"[a-zA-Z0-9_-]{1,64}"),
    "account": re.compile(r"\d{12}|\*"),
    "region": re.compile(r"[a-z]{2}(-[a-z]+)+-\d|\*"),
    "partition": re.compile(r"aws(-[a-z]+)*"),
}


@dataclass(frozen=True, slots=True)
class Scope:
    """The domain that a policy is for; ``*`` for any account or Region."""

    domain: str
    account: str = "*"
    region: str = "*"
    partition: str = "aws"


def policy_of(phase: Phase, scope: Scope) -> dict[str, Any]:
    """An IAM policy document that lets ``phase`` do its work on one domain, and nothing else.

    ``read`` is `export` and `domain show`; ``plan`` is `run` without --apply; ``merge`` is `apply` and `run
    --apply`; ``restore`` is `restore --apply`, to be given for the occasion only.

    Raises:
        BadInput: a name, account or Region that AWS does not know in this form.
    """
    for what, form in _FORMS.items():
        text = getattr(scope, what)
        if not form.fullmatch(text):
            raise BadInput(f"--{what}: {text!r} is no {what} of AWS")
    arn = f"arn:{scope.partition}:profile:{scope.region}:{scope.account}:domains/{scope.domain}"
    reading = _statement("ReadTheDomain", READS[phase], [arn, f"{arn}/*"])
    statements = [reading]
    if phase == "read":
        statements.append(_statement("ReadTheAccount", OF_THE_ACCOUNT, ["*"]))
    if WRITES[phase]:
        statements.append(_statement(f"{phase.title()}Profiles", WRITES[phase], [arn, f"{arn}/*"]))
    return {"Version": "2012-10-17", "Statement": statements}


def _statement(sid: str, operations: tuple[str, ...], resources: list[str]) -> dict[str, Any]:
    actions = [f"profile:{operation}" for operation in operations]
    return {"Sid": sid, "Effect": "Allow", "Action": actions, "Resource": resources}
