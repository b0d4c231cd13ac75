"""An executor in a process of its own that is killed at a chosen moment. Run in a child only: it patches."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING, Any

from embedded import domain_at

from resolver.app.applying import ApplyOptions, apply_plans
from resolver.app.exporting import ExportOptions, export_domain
from resolver.ledger.ledger import Ledger, open_ledger
from resolver.ledger.sealing import KEY, KEY_FILE

if TYPE_CHECKING:
    from datetime import datetime

    from resolver.model.merge_plan import MergePlan


class _Death:
    """SIGKILL to this process at the n-th time of asking."""

    def __init__(self, nth: int) -> None:
        self._left = nth

    def __call__(self, *_: Any, **__: Any) -> None:
        self._left -= 1
        if not self._left:
            os.kill(os.getpid(), signal.SIGKILL)


def apply_and_die(plan: MergePlan, at: tuple[str, str, datetime], moment: tuple[str, int]) -> None:
    """Apply a plan at (endpoint, ledger, now), killed at the n-th such moment."""
    for name in (KEY, KEY_FILE):  # the fork server has the environment of the test that happened to start it
        os.environ.pop(name, None)
    url, path, now = at
    where, nth = moment
    die = _Death(nth)
    domain = domain_at(url)
    record_intent, record_result = Ledger.record_intent, Ledger.record_result

    def dying_before(ledger: Ledger, entry: Any) -> int:
        die()
        return record_intent(ledger, entry)

    def dying_after(ledger: Ledger, entry: Any) -> int:
        entry_id = record_intent(ledger, entry)
        die()
        return entry_id

    def dying_with_a_result(ledger: Ledger, entry: Any) -> int:
        if entry.state == "done":
            die()
        return record_result(ledger, entry)

    if where == "before intent":
        Ledger.record_intent = dying_before  # type: ignore[method-assign]
    elif where == "after intent":
        Ledger.record_intent = dying_after  # type: ignore[method-assign]
    elif where == "before result":
        Ledger.record_result = dying_with_a_result  # type: ignore[method-assign]
    else:
        domain.clients.merge.meta.events.register("after-call.customer-profiles.MergeProfiles", die)
    options = ApplyOptions(run_id="killed", actor="ana", clock=lambda: now, settle_seconds=0.3)
    with open_ledger(path) as ledger:
        apply_plans([plan], domain, ledger, options)


def export_and_die(options: ExportOptions, url: str, nth: int) -> None:
    """Export, killed after the n-th search."""
    domain = domain_at(url)
    die = _Death(nth)
    domain.clients.read.meta.events.register("after-call.customer-profiles.SearchProfiles", die)
    export_domain(domain, options)
