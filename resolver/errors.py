"""Every error that this package raises on purpose.

    ResolverError            the message says what, where, and what is there instead
    ├── BadInput             a file, frame, rule set or option that cannot be used   (exit code 2)
    │   ├── BadFile          a file that is missing, unreadable or not what it claims to be
    │   ├── BadFrame         a table without a column it needs, or with another type in it
    │   └── BadRules         a rule set with an unknown or contradictory setting
    ├── ServiceFailed        Customer Profiles refused a request or did not answer   (exit code 2 or 1)
    │   ├── UnknownDomain    the domain does not exist in that account and Region    (exit code 2)
    │   └── Unreachable      nothing answers at the endpoint, or no credentials      (exit code 2)
    ├── LedgerFailed         our own memory cannot be read or written                (exit code 1)
    ├── PlanRefused          a merge plan that must not be executed as it stands     (counted, not fatal)
    ├── Held                 a gate holds the run until a person releases it         (exit code 3)
    └── AlreadyRunning       another run holds this domain's lease, or this export    (exit code 75)

No message carries personal data: ids, field names, counts and file names only.
"""

from __future__ import annotations


class ResolverError(Exception):
    """Base of all errors of this package."""


class BadInput(ResolverError):
    """Something the user gave cannot be used; nothing was written."""


class BadFile(BadInput):
    """A file is missing, unreadable, or not what its name claims."""


class BadFrame(BadInput):
    """A table lacks a column, repeats an id, or holds another type than its schema says."""


class BadRules(BadInput):
    """A rule set names something unknown or contradicts itself."""


class ServiceFailed(ResolverError):
    """Customer Profiles refused a request."""


class UnknownDomain(ServiceFailed):
    """No such domain in this account and Region."""


class Unreachable(ServiceFailed):
    """No answer from the endpoint, or no credentials to ask with."""


class LedgerFailed(ResolverError):
    """The ledger cannot be opened, read or written; nothing was sent."""


class PlanRefused(ResolverError):
    """A merge plan must not be executed as it stands; the message gives the reason."""


class Held(ResolverError):
    """A gate holds the run; a person may release it."""


class AlreadyRunning(ResolverError):
    """Another run holds the lease of this domain, or another export writes the same file."""
