"""What the executor has merged of a batch while people review it, learned from the ledger's journal."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from resolver.app.reviewing.batch import ReviewBatch
    from resolver.app.reviewing.standing import Standing
    from resolver.ledger.carried_out import Done
    from resolver.ledger.reviews import ReviewBook


class Merged:
    """Plans that were carried out, read entry by entry; knows which clusters of a batch they were."""

    def __init__(self, book: ReviewBook, domain: str) -> None:
        self._book = book
        self._domain = domain
        self._done: dict[str, Done] = {}
        self._last_entry = 0

    def learn(self) -> bool:
        """Read on in the journal; whether anything was merged since."""
        news = self._book.done_since(self._domain, self._last_entry)
        self._done.update((done.plan_id, done) for done in news)
        self._last_entry = max((done.entry_id for done in news), default=self._last_entry)
        return bool(news)

    def clusters(self, batch: ReviewBatch, standings: Mapping[str, Standing]) -> dict[str, Done]:
        """Clusters whose approved plans, or whose own plan, were carried out, and the last step of each."""
        if not self._done:
            return {}
        own = {i: case.plan.plan_id for i, case in batch.cases.items() if case.plan}
        found = {i: self._done[plan] for i, plan in own.items() if plan in self._done}
        by_fact = {f.fact_id: i for i, s in standings.items() for f in (s.verdict, s.second) if f}
        for plan, fact in self._book.plan_facts(batch.domain, batch.run_id):
            if plan in self._done and fact in by_fact:
                found[by_fact[fact]] = self._done[plan]
        return found
