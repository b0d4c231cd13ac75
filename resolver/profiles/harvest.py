"""Finding the profiles of a domain that nobody can list: from keys and ids known, over every value found."""

from __future__ import annotations

from collections import Counter, deque
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from resolver.model.profile import without_blanks
from resolver.planning.fingerprint import fingerprint_profile
from resolver.profiles.domain import describe_domain
from resolver.profiles.frontier import Frontier, digest
from resolver.profiles.object_harvest import ObjectQueue, keys_in_objects
from resolver.profiles.reading import IDS_PER_BATCH, read_profiles, read_survivors, search
from resolver.profiles.search_keys import SearchKey, keys_of

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
    from collections.abc import Set as AbstractSet

    from resolver.model.profile import Profile
    from resolver.profiles.domain import Domain
    from resolver.profiles.object_times import ObjectType
    from resolver.profiles.parts import Parts
    from resolver.profiles.search_keys import DerivedKey

#: Searches that may be under way for each worker: enough that none waits for the main thread.
AHEAD: Final = 2


#: Routes to a profile that no key names.
SEED_KEYS: Final = "seed keys"
SURVIVORS: Final = "merged-away ids"


@dataclass(frozen=True, slots=True)
class Seeds:
    """Where to begin, and what is known already.

    ``profile_ids`` maps the name of a source (match groups, …) to the ids it knows. ``derived`` are the keys
    of the domain's own object types that profiles tell; the objects of ``object_types`` are read, of every
    profile whose keys are followed, for the keys that only they hold. ``earlier`` and ``snapshot`` hold
    a mark of the content of each profile known from there: the keys of one that is as an earlier export has
    it are asked after all others, those of one that is as the snapshot has it never: a snapshot is complete.
    """

    keys: Sequence[SearchKey] = ()
    profile_ids: Mapping[str, Sequence[str]] = field(default_factory=dict)
    derived: Sequence[DerivedKey] = ()
    object_types: Sequence[ObjectType] = ()
    earlier: AbstractSet[int] = frozenset()
    snapshot: AbstractSet[int] = frozenset()


@dataclass(slots=True)
class Harvest:
    """What a harvest found.

    ``routes`` counts profiles by what led to them first; ``gone`` lists known ids under which there is no
    profile any more, ``survivors`` maps those merged away to what answers to them; ``resumed`` counts the
    profiles that an earlier start had found; ``hit`` are the digests of seed keys that found a profile,
    ``asked`` of those asked; ``silent_objects`` counts objects read whose keys cannot be told.
    """

    seen: set[str] = field(default_factory=set)
    routes: Counter[str] = field(default_factory=Counter)
    gone: list[str] = field(default_factory=list)
    survivors: dict[str, str] = field(default_factory=dict)
    resumed: int = 0
    hit: set[bytes] = field(default_factory=set)
    asked: set[bytes] = field(default_factory=set)
    silent_objects: int = 0


@dataclass(frozen=True, slots=True)
class Answer:
    """What one task brought: profiles with the route to each, keys asked and hit, ids asked in vain.

    ``keys`` are what objects told, ``silent`` counts those that told none.
    """

    profiles: Sequence[tuple[str, Profile]]
    asked: Sequence[bytes] = ()
    hit: Collection[bytes] = ()
    gone: Sequence[str] = ()
    survivors: Mapping[str, str] = field(default_factory=dict)
    keys: Sequence[SearchKey] = ()
    silent: int = 0


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a harvest is: profiles found, and how many the domain says it has.

    ``waiting`` counts keys to ask and profiles whose objects are to be read.
    """

    found: int
    profile_count: int
    waiting: int


def harvest(domain: Domain, seeds: Seeds, parts: Parts, on_progress: Callable[[Progress], None]) -> Harvest:
    """Collect into ``parts`` every profile that the seeds lead to, none twice, no key asked twice.

    Breadth-first. It ends when no key is left to ask, or as soon as as many profiles are found as the domain
    says it has. What an earlier start left in ``parts`` is not asked again.
    """
    return _Search(domain, seeds, parts).run(on_progress)


def mark(fingerprint: str) -> int:
    """What stands for a profile's content in ``Seeds``: 64 bits of its fingerprint."""
    return int(fingerprint[:16], 16)


class _Search:
    """The state of one harvest; only the calls run in other threads."""

    def __init__(self, domain: Domain, seeds: Seeds, parts: Parts) -> None:
        self.domain = domain
        self.seeds = seeds
        self.parts = parts
        asked = set(parts.asked())
        self.seed_marks = frozenset(map(digest, seeds.keys))
        self.found = Harvest(hit=set(parts.hit()), asked=asked & self.seed_marks)
        self.frontier = Frontier(asked)
        self.objects = ObjectQueue(seeds.object_types, asked)
        self.frontier.add(seeds.keys)
        for route, profile in parts.profiles():
            self.found.seen.add(profile["ProfileId"])
            self.found.routes[route] += 1
            self._follow(profile)
        self.found.resumed = len(self.found.seen)
        self.id_tasks = deque(self._id_tasks(seeds.profile_ids))
        self.goal = describe_domain(domain).profile_count

    def _follow(self, profile: Profile) -> None:
        """Let the keys of a profile wait, by what is known of it."""
        known = self.seeds.earlier or self.seeds.snapshot
        content = mark(fingerprint_profile(profile)) if known else 0
        if known and content in self.seeds.snapshot:
            return
        can_wait = bool(known) and content in self.seeds.earlier
        self.objects.add(profile["ProfileId"])
        self.frontier.add(keys_of(profile, self.seeds.derived), can_wait=can_wait)

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
                        if not self._next_round():
                            break
                        continue
                    done, running = wait(running, return_when=FIRST_COMPLETED)
                    for future in done:
                        self._take(future.result())
                    on_progress(Progress(len(self.found.seen), self.goal, self._waiting()))
            finally:
                for future in running:
                    future.cancel()
                self.parts.flush()
        return self.found

    def _waiting(self) -> int:
        return len(self.frontier) + len(self.objects)

    def _next_round(self) -> bool:
        """Whether objects are left to read, now that there is nothing else to ask."""
        self.parts.note(self.objects.next_round())
        return len(self.objects) > 0

    def _submit(self, pool: ThreadPoolExecutor, room: int) -> set[Future[Answer]]:
        submitted: set[Future[Answer]] = set()
        while len(submitted) < room:
            if self.id_tasks:
                source, ids = self.id_tasks.popleft()
                submitted.add(pool.submit(_ask_ids, self.domain, source, ids))
            elif keys := self.frontier.take():
                submitted.add(pool.submit(_ask_keys, self.domain, keys, self.seed_marks))
            elif profile_id := self.objects.take():
                submitted.add(pool.submit(_ask_objects, self.domain, profile_id, self.objects.types))
            else:
                break
        return submitted

    def _take(self, answer: Answer) -> None:
        for route, profile in answer.profiles:
            if profile["ProfileId"] not in self.found.seen:
                self.found.seen.add(profile["ProfileId"])
                self.found.routes[route] += 1
                self.parts.add(route, profile)
                self._follow(profile)
        self.frontier.add(answer.keys)
        self.found.silent_objects += answer.silent
        self.found.gone.extend(answer.gone)
        self.found.survivors.update(answer.survivors)
        self.found.asked.update(self.seed_marks.intersection(answer.asked))
        self.found.hit.update(answer.hit)
        self.parts.note(answer.asked, answer.hit)

    def _is_whole(self) -> bool:
        """Whether as many are found as there are.

        Never after a resume, for some of the earlier may be gone by now, and never with a snapshot, most of
        whose profiles are not read at all.
        """
        if self.found.resumed or self.seeds.snapshot or len(self.found.seen) < self.goal:
            return False
        self.goal = describe_domain(self.domain).profile_count
        return len(self.found.seen) >= self.goal


def _ask_ids(domain: Domain, source: str, profile_ids: Sequence[str]) -> Answer:
    there = read_profiles(domain, profile_ids)
    missing = [profile_id for profile_id in profile_ids if profile_id not in there]
    others, survivors = read_survivors(domain, missing)
    return Answer(
        profiles=[(source, profile) for profile in there.values()]
        + [(SURVIVORS, profile) for profile in others],
        gone=[profile_id for profile_id in missing if profile_id not in survivors],
        survivors=survivors,
    )


def _ask_keys(domain: Domain, keys: Sequence[SearchKey], seed_marks: frozenset[bytes]) -> Answer:
    profiles = []
    hit: set[bytes] = set()
    for item in search(domain, keys):
        found_by = [
            SearchKey(named["KeyName"], value)
            for named in item.get("FoundByItems", ())
            for value in named["Values"]
        ]
        seeds_that_hit = seed_marks.intersection(map(digest, found_by or keys))
        hit |= seeds_that_hit
        route = SEED_KEYS if found_by and seeds_that_hit else found_by[0].name if found_by else "unsaid"
        profiles.append((route, without_blanks(item)))
    return Answer(profiles=profiles, asked=[digest(key) for key in keys], hit=sorted(hit))


def _ask_objects(domain: Domain, profile_id: str, types: Sequence[ObjectType]) -> Answer:
    read = keys_in_objects(domain, profile_id, types)
    return Answer(profiles=(), keys=read.keys, silent=read.silent)
