"""History: which merges were done, and the receipt of one. Ids, states and field names; no values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from resolver.app.restoring import find_merge
from resolver.errors import LedgerFailed
from resolver.model.field_paths import paths_of
from resolver.model.journal import JournalState

if TYPE_CHECKING:
    from resolver.ledger.ledger import Ledger
    from resolver.ledger.receipts import CallReceipt, MergeFact

SHORT = 12  #: characters of an id that people are shown; commands take them


def list_merges(domain_name: str, ledger: Ledger, limit: int | None) -> tuple[dict[str, Any], str]:
    """The merges of a domain, the latest first, as data and as text."""
    restores = ledger.restore_states(domain_name)
    facts = ledger.merges_of(domain_name)
    rows = [_row(fact, restores.get(fact.plan_id)) for fact in facts[:limit]]
    erasures = ledger.erasures_of(domain_name)
    lines = [
        f"{row['at']:%Y-%m-%d %H:%M}  {row['merge_id'][:SHORT]}  {row['state']:<11} "
        f"{row['merged']:>3} into {row['survivor'][:SHORT]}  {row['approved_by']}"
        for row in rows
    ]
    more = f"… and {len(facts) - len(rows)} earlier ones (--limit)" if len(facts) > len(rows) else ""
    words = [f"{len(facts)} merges in {ledger.place}", *lines, *([more] if more else [])]
    if erasures:
        words.append(f"{len(erasures)} erasure requests were carried out")
    return {"domain": domain_name, "merges": rows, "total": len(facts), "erasures": erasures}, "\n".join(
        words
    )


def receipt_of(merge_id: str, domain_name: str, ledger: Ledger) -> tuple[dict[str, Any], str]:
    """One merge: who approved it, what was sent, what was read back, predicted against actual.

    Raises:
        BadInput: no such merge, or several.
    """
    plan_id = find_merge(merge_id, domain_name, ledger)
    fact = next(f for f in ledger.merges_of(domain_name) if f.plan_id == plan_id)
    restore = ledger.restore_states(domain_name).get(plan_id)
    calls = [_call(receipt, ledger) for receipt in ledger.receipts_of(plan_id)]
    data = _row(fact, restore) | {"calls": calls, "restore": restore}
    data["profiles_today"] = {i: ledger.survivors(domain_name).get(i, i) for i in fact.profile_ids}
    lines = [
        f"merge {plan_id}",
        f"  {data['state']}; {fact.done} of {fact.calls} calls done, by {fact.actor} in run {fact.run_id}",
        f"  approved by {fact.approved_by or 'nobody on record'}",
        f"  into {data['survivor']}: {', '.join(fact.profile_ids[1:])}",
    ]
    for call in calls:
        extras = [call[name] for name in ("sent", "answer", "read_back", "history", "before_image", "detail")]
        said = "; ".join(str(extra) for extra in extras if extra)
        lines.append(f"  {call['at']:%H:%M:%S} call {call['call']} {call['state']:<8} {said}")
    if restore:
        lines.append(f"  restore {restore[0][:SHORT]}: {restore[1]}")
    return data, "\n".join(lines)


def _row(fact: MergeFact, restore: tuple[str, str] | None) -> dict[str, Any]:
    if restore:
        state = restore[1] if restore[1] != "unfinished" else "restoring"
    elif fact.done and fact.done >= fact.calls:
        state = "done"
    else:
        state = f"{fact.state}, {fact.done}/{fact.calls}" if fact.done else fact.state
    return {
        "merge_id": fact.plan_id,
        "at": fact.at,
        "state": state,
        "survivor": fact.profile_ids[0] if fact.profile_ids else "",
        "merged": len(fact.profile_ids[1:]),
        "approved_by": fact.approved_by,
        "actor": fact.actor,
        "run_id": fact.run_id,
        "detail": fact.detail,
    }


def _call(receipt: CallReceipt, ledger: Ledger) -> dict[str, Any]:
    entry = receipt.entry
    return {
        "call": entry.step + 1,
        "state": entry.state.value,
        "at": entry.at,
        "actor": entry.actor,
        "sent": _sent(receipt),
        "request": entry.request,
        "answer": f"request id {entry.response.get('RequestId')}" if entry.response else "",
        "read_back": _read_back(receipt, ledger),
        "history": f"history: {receipt.history}" if receipt.history else "",
        "before_image": f"before-image {receipt.image}" if receipt.image else "",
        "detail": entry.detail,
    }


def _sent(receipt: CallReceipt) -> str:
    request = receipt.entry.request or {}
    if receipt.entry.state is not JournalState.INTENT:
        return ""
    if "operation" in request:
        return f"{request['operation']} {', '.join(request['Fields'])}"
    sources = request.get("FieldSourceProfileIds", {})
    merged = len(request["ProfileIdsToBeMerged"])
    return f"merge_profiles of {merged}, sources for {', '.join(sources) or 'no field'}"


def _read_back(receipt: CallReceipt, ledger: Ledger) -> str:
    """Predicted against actual; that a call is done means that they were equal."""
    entry = receipt.entry
    if entry.state is JournalState.DONE:
        return "read back as predicted"
    if entry.state is not JournalState.UNCLEAR or receipt.actual is None:
        return ""
    try:
        expected = ledger.intent_of(entry.plan_id, entry.step).expected or {}
    except LedgerFailed:
        return "not as predicted (the prediction is gone)"
    there = receipt.actual.get(expected.get("ProfileId", ""), {})
    one, other = paths_of(expected), paths_of(there)
    fields = sorted(path for path in one.keys() | other.keys() if one.get(path) != other.get(path))
    return f"not as predicted in {', '.join(fields) or 'nothing but who is there'}"
