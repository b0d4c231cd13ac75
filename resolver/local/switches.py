"""The switches of a running service over HTTP: how it behaves where AWS leaves a choice, what shall fail.

Requests below /_local/, answered only by a service that was started with its switches in reach:

GET  switches             the present state
PUT  switches             {switch: value, …} changes the switches that are named, all or none
GET  faults               what is planned: {operation: [fault, …]}
POST faults               {"Operation", "Kind"} plans a fault; "Times", "Skip", "Seconds": see `Fault`
DELETE faults             forgets what is planned
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any, Final, get_args

from resolver.local.faults import Fault, FaultKind, Faults
from resolver.local.operations import HANDLERS
from resolver.local.refusal import BadRequest, UnknownPath

if TYPE_CHECKING:
    from resolver.local.service import Service

Check = Callable[[Any], bool]


def _is_flag(value: Any) -> bool:
    return type(value) is bool


def _is_count(value: Any) -> bool:
    return type(value) is int and value >= 0


def _is_duration(value: Any) -> bool:
    return type(value) in (int, float) and 0 <= value < math.inf


#: Each switch by its name on the wire: the member of `Settings` (or "quotas" of `Faults`), what it takes.
_SWITCHES: Final[dict[str, tuple[str, Check, str]]] = {
    "MergeWinner": ("merge_winner", lambda value: value in ("normal", "hostile"), '"normal" or "hostile"'),
    "VictimAlias": ("victim_alias", _is_flag, "true or false"),
    "StrictValues": ("strict_values", _is_flag, "true or false"),
    "ConsistencyDelaySeconds": ("consistency_delay_seconds", _is_duration, "a number of seconds"),
    "Quotas": ("quotas", _is_flag, "true or false"),
}
_KINDS: Final = get_args(FaultKind)
#: Each member of a fault: what it takes, and its default; without one it is required.
_FAULT: Final[dict[str, tuple[Check, str, Any]]] = {
    "Operation": (lambda value: value in tuple(HANDLERS), "an operation of this service", None),
    "Kind": (lambda value: value in _KINDS, f"one of {', '.join(_KINDS)}", None),
    "Times": (lambda value: _is_count(value) and value > 0, "a whole number from 1", 1),
    "Skip": (_is_count, "a whole number from 0", 0),
    "Seconds": (_is_duration, "a number of seconds", 0.0),
}


def answer(service: Service, method: str, name: str, content: dict[str, Any]) -> dict[str, Any]:
    """Answer one request; the faults of the service must be there."""
    faults = service.settings.faults
    if faults is None:
        raise UnknownPath("the switches of this service are out of reach: serve it with --admin")
    match method, name:
        case "GET", "switches":
            return _state(service, faults)
        case "PUT", "switches":
            _set(service, faults, content)
            return _state(service, faults)
        case "GET", "faults":
            return _planned(faults)
        case "POST", "faults":
            operation, fault = _fault(content)
            faults.plan(operation, fault)
            return _planned(faults)
        case "DELETE", "faults":
            faults.clear()
            return {}
    raise UnknownPath(f"no administrative request for {method} with this path")


def _state(service: Service, faults: Faults) -> dict[str, Any]:
    return {
        name: faults.quotas if member == "quotas" else getattr(service.settings, member)
        for name, (member, _, _) in _SWITCHES.items()
    }


def _set(service: Service, faults: Faults, content: dict[str, Any]) -> None:
    for name, value in content.items():
        if name not in _SWITCHES:
            raise BadRequest(f"{name} is no switch; there are {', '.join(_SWITCHES)}")
        _, is_fit, wanted = _SWITCHES[name]
        if not is_fit(value):
            raise BadRequest(f"{name} must be {wanted}")
    given = {_SWITCHES[name][0]: value for name, value in content.items()}
    faults.quotas = given.pop("quotas", faults.quotas)
    service.settings = replace(service.settings, **given)


def _fault(content: dict[str, Any]) -> tuple[str, Fault]:
    unknown = content.keys() - _FAULT.keys()
    if unknown:
        raise BadRequest(f"{min(unknown)} is no member of a fault; there are {', '.join(_FAULT)}")
    given = {}
    for name, (is_fit, wanted, default) in _FAULT.items():
        given[name.lower()] = value = content.get(name, default)
        if not is_fit(value):
            raise BadRequest(f"{name} must be {wanted}")
    return given.pop("operation"), Fault(**given)


def _planned(faults: Faults) -> dict[str, Any]:
    return {
        operation: [
            {name.capitalize(): value for name, value in asdict(fault).items()} for fault in list(queue)
        ]
        for operation, queue in list(faults.planned.items())
        if queue
    }
