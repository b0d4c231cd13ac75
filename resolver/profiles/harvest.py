"""Finding the profiles of a domain that nobody can list: from keys and ids known, over every value found."""

from __future__ import annotations

from collections import Counter, deque
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from resolver.model.profile import without_blanks
from resolver.profiles.domain import describe_domain
from resolver.profiles.frontier import Frontier, digest
from resolver.profiles.reading import IDS_PER_BATCH, read_profiles, search
from resolver.profiles.search_keys import SearchKey, keys_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from resolver.model.profile import Profile
    from resolver.profiles.domain import Domain
    from resolver.profiles.parts import Parts

#: Searches that may be under way for each worker: enough that none waits for the main thread.
AHEAD: Final = 2


@dataclass(frozen=True, slots=True)
class Seeds:
    """Where to begin; ``profile_ids`` maps the name of a source (match groups, …) to the ids it knows."""

    keys: Sequence[SearchKey] = ()
    profile_ids: Mapping[str, Sequence[str]] = field(default_factory=dict)


@dataclass(slots=True)
class Harvest:
    """What a harvest found.

    ``routes`` counts profiles by what led to them first; ``gone`` lists known ids under which there is no
    profile any more.
    """

    seen: set[str] = field(default_factory=set)
    routes: Counter[str] = field(default_factory=Counter)
    gone: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Answer:
    """What one task brought: profiles with the route to each, the keys it asked, ids it asked in vain."""

    profiles: Sequence[tuple[str, Profile]]
    asked: Sequence[bytes] = ()
    gone: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a harvest is: profiles found, how many the domain says it has, keys still to ask."""

    found: int
    profile_count: int
    waiting: int


def harvest(domain: Domain, seeds: Seeds, parts: Parts, on_progress: Callable[[Progress], None]) -> Harvest:
    """Collect into ``parts`` every profile that the seeds lead to, none twice, no key asked twice.

    Breadth-first. It ends when no key is left to ask, or as soon as as many profiles are found as the domain
    says it has. What an earlier start left in ``parts`` is not asked again.
    """
    return _Search(domain, seeds, parts).run(on_progress)


class _Search:
    """The state of one harvest; only the calls run in other threads."""

    def __init__(self, domain: Domain, seeds: Seeds, parts: Parts) -> None:
        self.domain = domain
        self.parts = parts
        self.found = Harvest()
        self.frontier = Frontier(parts.asked())
        self.seed_marks = frozenset(map(digest, seeds.keys))
        self.frontier.add(seeds.keys)
        for profile in parts.profiles():
            self.found.seen.add(profile["ProfileId"])
            self.frontier.add(keys_of(profile))
        self.resumed = len(self.found.seen)
        if self.resumed:
            self.found.routes["an earlier start"] = self.resumed
        self.id_tasks = deque(self._id_tasks(seeds.profile_ids))
        self.goal = describe_domain(domain).profile_count

    def _id_tasks(self, known: Mapping[str, Iterable[str]]) -> Iterator[tuple[str, list[str]]]:
        planned = set(self.found.seen)
        for source, profile_ids in known.items():
            ids = [i for i in dict.fromkeys(profile_ids) if i not in planned]
            planned.update(ids)
            for start in range(0, len(ids), IDS_PER_BATCH):
                yield source, ids[start : start + IDS_PER_BATCH]

    def run(self, on_progress: Callable[[Progress], None]) -> Harvest:
        workers = self.domain.clients.workers
        with ThreadPoolExecutor(workers, thread_name_prefix="harvest") as pool:
            running: set[Future[Answer]] = set()
            try:
                while not self._is_whole():
                    running |= self._submit(pool, workers * AHEAD - len(running))
                    if not running:
                        break
                    done, running = wait(running, return_when=FIRST_COMPLETED)
                    for future in done:
                        self._take(future.result())
                    on_progress(Progress(len(self.found.seen), self.goal, len(self.frontier)))
            finally:
                for future in running:
                    future.cancel()
                self.parts.flush()
        return self.found

    def _submit(self, pool: ThreadPoolExecutor, room: int) -> set[Future[Answer]]:
        submitted: set[Future[Answer]] = set()
        while len(submitted) < room:
            if self.id_tasks:
                source, ids = self.id_tasks.popleft()
                submitted.add(pool.submit(_ask_ids, self.domain, source, ids))
            elif keys := self.frontier.take():
                submitted.add(pool.submit(_ask_keys, self.domain, keys, self.seed_marks))
            else:
                break
        return submitted

    def _take(self, answer: Answer) -> None:
        for route, profile in answer.profiles:
            if profile["ProfileId"] not in self.found.seen:
                self.found.seen.add(profile["ProfileId"])
                self.found.routes[route] += 1
                self.parts.add(profile)
                self.frontier.add(keys_of(profile))
        self.found.gone.extend(answer.gone)
        self.parts.note(answer.asked)

    def _is_whole(self) -> bool:
        """Whether as many are found as there are. Never after a resume: some of the earlier may be gone."""
        if self.resumed or len(self.found.seen) < self.goal:
            return False
        self.goal = describe_domain(self.domain).profile_count
        return len(self.found.seen) >= self.goal


def _ask_ids(domain: Domain, source: str, profile_ids: Sequence[str]) -> Answer:
    there = read_profiles(domain, profile_ids)
    gone = [profile_id for profile_id in profile_ids if profile_id not in there]
    return Answer(profiles=[(source, profile) for profile in there.values()], gone=gone)


def _ask_keys(domain: Domain, keys: Sequence[SearchKey], seed_marks: frozenset[bytes]) -> Answer:
    profiles = [(_route(item, seed_marks), without_blanks(item)) for item in search(domain, keys)]
    return Answer(profiles=profiles, asked=[digest(key) for key in keys])


def _route(item: Mapping[str, Any], seed_marks: frozenset[bytes]) -> str:
    """``seed keys`` or the name of the first key that found the profile, as the service tells."""
    hits = [
        SearchKey(hit["KeyName"], value) for hit in item.get("FoundByItems", ()) for value in hit["Values"]
    ]
    if any(digest(key) in seed_marks for key in hits):
        return "seed keys"
    return hits[0].name if hits else "unsaid"
