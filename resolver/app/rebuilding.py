"""The steps of a restore, each of which leads to the same end however often it is begun.

CreateProfile alone would not: it makes another profile each time. So a profile is made empty but for a marker
under which a search finds it again, and gets its own fields only when its new id is in the ledger.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from resolver.app.calls import looks
from resolver.errors import ServiceFailed
from resolver.model.field_paths import paths_of, profile_of, updates
from resolver.profiles.merging import Sending, send_once
from resolver.profiles.object_keys import PROFILE_ID, keys_of_object
from resolver.profiles.reading import read_objects, read_profiles, search
from resolver.profiles.search_keys import ACCOUNT, SearchKey

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from resolver.model.profile import Profile
    from resolver.model.restoration import Restoration, RestoreStep
    from resolver.profiles.domain import Domain
    from resolver.profiles.object_times import ObjectType

ATTEMPTS: Final = 20
_FIRST_WAIT: Final = 0.1
_LONGEST_WAIT: Final = 5.0


@dataclass(frozen=True, slots=True)
class Workshop:
    """Where steps are carried out. ``ids`` maps members to their ids today and grows with each profile made.

    ``may_send`` raises where the run has lost its lease; ``settle_seconds`` is how long a call may take to
    show.
    """

    domain: Domain
    restoration: Restoration
    types: Sequence[ObjectType]
    ids: dict[str, str]
    may_send: Callable[[], None]
    settle_seconds: float

    def carry_out(self, step: RestoreStep) -> str:
        """Bring about what the step says; what to tell of it, if anything.

        Raises:
            ServiceFailed: the service did not do it; the next run goes on here.
        """
        ways: dict[str, Callable[[RestoreStep], str]] = {
            "create": self._create,
            "erase": self._erase,
            "clear": self._clear,
            "place": self._place,
            "fields": self._fields,
            "keys": self._keys,
        }
        return ways[step.kind](step)

    def _create(self, step: RestoreStep) -> str:
        self.ids[step.member] = self._made(self._marker(step.member))
        return ""

    def _made(self, marker: SearchKey) -> str:
        """The id of the one profile with that marker; made where there is none."""
        survivor = self.restoration.survivor_id
        stub = {"AccountNumber": marker.value}
        for attempt in range(ATTEMPTS):
            found: list[str] = sorted({p["ProfileId"] for p in search(self.domain, [marker])} - {survivor})
            for double in found[1:]:  # an answer was lost, and the profile was late to show
                self._send("delete_profile", {"ProfileId": double})
            if found:
                return found[0]
            sent = send_once(self.domain, "create_profile", stub, self.may_send)
            if sent.outcome is Sending.ACCEPTED and sent.response:
                return str(sent.response["ProfileId"])
            if sent.outcome in (Sending.REFUSED, Sending.MISSING):
                raise ServiceFailed(sent.detail)
            self._wait(attempt)
            if sent.outcome is Sending.UNKNOWN:
                for _ in looks(self.domain, self.settle_seconds):
                    if search(self.domain, [marker]):
                        break
        raise ServiceFailed(f"create_profile: not done after {ATTEMPTS} attempts; the next run goes on here")

    def _erase(self, step: RestoreStep) -> str:
        """Empty what UpdateProfile cannot: merge in an empty profile as the source of those fields.

        A named source's value is taken even when it is null (AWS, API reference of MergeProfiles).
        """
        survivor = self.restoration.survivor_id
        fields = step.facts["fields"]
        marker = self._marker("eraser")
        for attempt in range(ATTEMPTS):
            there = self._read(survivor)
            if not any(field in there for field in fields):
                self._send("delete_profile_key", _key_request(survivor, marker))
                return ""
            eraser = self._made(marker)
            sources = dict.fromkeys(fields, eraser)
            request = {
                "MainProfileId": survivor,
                "ProfileIdsToBeMerged": [eraser],
                "FieldSourceProfileIds": sources,
            }
            sent = send_once(self.domain, "merge_profiles", request, self.may_send)
            if sent.outcome is Sending.REFUSED:
                return f"{', '.join(fields)} cannot be emptied: {sent.detail}"
            for _ in looks(self.domain, self.settle_seconds if sent.outcome is Sending.UNKNOWN else 0):
                if eraser not in read_profiles(self.domain, [eraser]):
                    break
            self._wait(attempt)
        raise ServiceFailed(f"merge_profiles: {', '.join(fields)} not emptied; the next run goes on here")

    def _clear(self, step: RestoreStep) -> str:
        target = paths_of(self.target(step.member))
        kept = {path: value for path, value in target.items() if path not in step.facts["blank"]}
        return self._update(self.ids[step.member], profile_of(self.ids[step.member], kept))

    def _fields(self, step: RestoreStep) -> str:
        return self._update(self.ids[step.member], self.target(step.member))

    def target(self, member: str) -> Profile:
        """The profile that a member is to be, under its id today."""
        return {**self.restoration.members[member]["profile"], "ProfileId": self.ids[member]}

    def _update(self, profile_id: str, target: Profile) -> str:
        for request in updates(self._read(profile_id), target):
            said = self._send("update_profile", {"ProfileId": profile_id, **request})
            if said:
                return said
        for _ in looks(self.domain, self.settle_seconds):
            if not list(updates(self._read(profile_id), target)):
                return ""
        return f"the fields of {profile_id} do not show"

    def _place(self, step: RestoreStep) -> str:
        """One object under its member, by making its keys lead there and nowhere else."""
        name = (step.facts["object_type_name"], step.facts["unique_key"])
        body, target = step.facts["object"], self.ids[step.member]
        if self._objects(target).get(name) == body:
            return ""
        type_ = next(type_ for type_ in self.types if type_.name == name[0])
        keys = [k.key for k in keys_of_object(type_, body) or () if k.chooses and k.key.name != PROFILE_ID]
        for key in keys:
            self._steer(key, target)
        if not any(_found(self.domain, key) == {target} for key in keys):
            return f"an object of type {name[0]} stays with the survivor: its keys find other profiles, too"
        for other in self.ids.values():
            if name in self._objects(other):
                request = {
                    "ProfileId": other,
                    "ObjectTypeName": name[0],
                    "ProfileObjectUniqueKey": name[1],
                }
                if other != target and other == self.restoration.survivor_id:
                    self._send("delete_profile_object", request)
        said = self._send("put_profile_object", {"ObjectTypeName": name[0], "Object": body})
        for _ in looks(self.domain, self.settle_seconds):
            if self._objects(target).get(name) == body:
                return said
        raise ServiceFailed(
            f"put_profile_object: an object of type {name[0]} does not show; the next run goes on here"
        )

    def _steer(self, key: SearchKey, target: str) -> None:
        found = _found(self.domain, key)
        for other in sorted(found & set(self.ids.values()) - {target}):
            self._send("delete_profile_key", _key_request(other, key))
        if target not in found:
            self._send("add_profile_key", _key_request(target, key))
        for _ in looks(self.domain, self.settle_seconds if found else 0):
            if not (_found(self.domain, key) & set(self.ids.values())) - {target}:
                return

    def _keys(self, step: RestoreStep) -> str:
        profile_id = self.ids[step.member]
        for name, value in step.facts["remove"]:
            self._send("delete_profile_key", _key_request(profile_id, SearchKey(name, value)))
        said = [
            self._send("add_profile_key", _key_request(profile_id, SearchKey(name, value)))
            for name, value in step.facts["add"]
        ]
        return "; ".join(filter(None, said))

    def differences(self) -> list[str]:
        """Where the members are not as they were to be; ids and names, no values."""
        return [words for member in self.restoration.members for words in self._differences(member)]

    def _differences(self, member: str) -> list[str]:
        facts, profile_id = self.restoration.members[member], self.ids[member]
        there, target = paths_of(self._read(profile_id)), paths_of(facts["profile"])
        fields = sorted(p for p in there.keys() | target.keys() if there.get(p) != target.get(p))
        found = [f"{profile_id}: {', '.join(fields)}"] if fields else []
        objects = self._objects(profile_id)
        missing = sum(
            objects.get((one["object_type_name"], one["unique_key"])) != one["object"]
            for one in facts["objects"]
        )
        if missing:
            found.append(f"{profile_id}: {missing} of {len(facts['objects'])} objects")
        keys = [SearchKey(name, value) for name, value in facts["keys"]]
        lost = sorted({key.name for key in keys if profile_id not in _found(self.domain, key)})
        return found + ([f"{profile_id}: not found by {', '.join(lost)}"] if lost else [])

    def _send(self, operation: str, request: Mapping[str, Any]) -> str:
        """Send what may be sent again until it is done; what the service said where it refused.

        What is taken away and is not there has been taken away.
        """
        for attempt in range(ATTEMPTS):
            sent = send_once(self.domain, operation, request, self.may_send)
            if sent.outcome is Sending.ACCEPTED:
                return ""
            if sent.outcome is Sending.MISSING:
                return "" if operation.startswith("delete") else sent.detail
            if sent.outcome is Sending.REFUSED:
                return sent.detail
            self._wait(attempt)
        raise ServiceFailed(f"{operation}: not done after {ATTEMPTS} attempts; the next run goes on here")

    def _read(self, profile_id: str) -> Profile:
        there = read_profiles(self.domain, [profile_id])
        if profile_id not in there:
            raise ServiceFailed(f"profile {profile_id} is not there: it was deleted or merged away meanwhile")
        return there[profile_id]

    def _objects(self, profile_id: str) -> dict[tuple[str, str], str]:
        frame = read_objects(self.domain, profile_id, self.types)
        rows = frame.select("object_type_name", "unique_key", "object").iter_rows()
        return {(type_name, unique_key): body for type_name, unique_key, body in rows}

    def _marker(self, member: str) -> SearchKey:
        return SearchKey(ACCOUNT, f"restore-{self.restoration.restore_id[:24]}-{member}")

    def _wait(self, attempt: int) -> None:
        self.domain.sleep(min(_FIRST_WAIT * 2**attempt, _LONGEST_WAIT))


def _found(domain: Domain, key: SearchKey) -> set[str]:
    return {profile["ProfileId"] for profile in search(domain, [key])}


def _key_request(profile_id: str, key: SearchKey) -> dict[str, Any]:
    return {"ProfileId": profile_id, "KeyName": key.name, "Values": [key.value]}
