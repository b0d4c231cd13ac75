"""The evidence between the members of one cluster: links, what each rests on, and where the cluster is thin.

Everything is read off the scored pairs (``<comparison>_level`` and ``<comparison>_weight``): there is no
second way to compute a weight.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

#: Weights below this many bits are not worth a bar of their own.
_NOTHING = 0.05


@dataclass(frozen=True, slots=True)
class Evidence:
    """What one comparison says of a pair: its level (0 differs … ``top`` equal) and weight in bits."""

    comparison: str
    level: int
    top: int
    weight: float
    label: str

    @property
    def same(self) -> bool:
        """Equal, as far as this comparison can tell."""
        return self.level == self.top

    @property
    def differs(self) -> bool:
        """Neither equal nor near."""
        return self.level == 0

    @property
    def words(self) -> str:
        """The comparison's name as a person says it."""
        return self.comparison.replace("_", " ").replace(":", " ")


@dataclass(frozen=True, slots=True)
class Link:
    """One scored pair of a cluster. ``left`` and ``right`` are profile ids; weights are bits (log2 odds)."""

    left: str
    right: str
    weight: float
    probability: float
    band: str
    evidence: tuple[Evidence, ...]
    prior: float

    @property
    def ends(self) -> frozenset[str]:
        """Both profile ids."""
        return frozenset((self.left, self.right))

    @property
    def discount(self) -> float:
        """What the weight loses because a relation (a household, a shop) explains the agreement as well.

        The remainder between the weight and its parts, so that parts always sum to the weight.
        """
        return self.weight - self.prior - sum(e.weight for e in self.evidence)

    @property
    def parts(self) -> tuple[tuple[str, float], ...]:
        """The bars from the prior to the weight, in words: agreements first, the strongest on top."""
        told = sorted(self.evidence, key=lambda e: (e.weight < 0, -abs(e.weight), e.comparison))
        bars = [("Start: any two", self.prior)]
        bars += [(_bar(e), e.weight) for e in told if abs(e.weight) >= _NOTHING]
        rest = self.weight - sum(weight for _, weight in bars)
        if abs(rest) >= _NOTHING:
            bars.append(("Shared by others too" if rest < 0 else "Small evidence", rest))
        return tuple(bars)


@dataclass(frozen=True, slots=True)
class Web:
    """All links of one cluster: the strongest tree that holds it, its weakest link, and its bridges."""

    links: tuple[Link, ...]
    tree: tuple[Link, ...]
    bridges: tuple[Link, ...]

    @property
    def weakest(self) -> Link | None:
        """The link of the strongest tree on which the cluster hangs.

        None where links do not reach everyone.
        """
        return min(self.tree, key=lambda link: (link.weight, link.left, link.right), default=None)

    def between(self, left: str, right: str) -> Link | None:
        """The link of two profiles; None where they were never compared."""
        wanted = frozenset((left, right))
        return next((link for link in self.links if link.ends == wanted), None)

    @property
    def by_need(self) -> tuple[Link, ...]:
        """Links in the order a person looks at them: the weakest of the tree first, then the rest of it."""
        weakest = self.weakest
        rest = [link for link in self.links if link is not weakest]
        in_tree = set(map(id, self.tree))
        rest.sort(key=lambda link: (id(link) not in in_tree, link.weight, link.left, link.right))
        return (*((weakest,) if weakest else ()), *rest)


def weave(links: Iterable[Link], profile_ids: Sequence[str]) -> Web:
    """The web of a cluster's links. Bridges are tree links that no path of positive links goes around."""
    sorted_links = tuple(sorted(links, key=lambda link: (-link.weight, link.left, link.right)))
    tree = _strongest_tree(sorted_links, profile_ids)
    positive = [link for link in sorted_links if link.weight > 0 or link in tree]
    bridges = tuple(
        link
        for link in tree
        if len(profile_ids) > 2  # noqa: PLR2004 - two profiles have one link, which says nothing
        and len(side_of(link.left, [p for p in positive if p is not link])) < len(profile_ids)
    )
    return Web(sorted_links, tree, bridges)


def side_of(start: str, links: Iterable[Link]) -> frozenset[str]:
    """Every profile that those links join to one."""
    neighbours: dict[str, set[str]] = {}
    for link in links:
        neighbours.setdefault(link.left, set()).add(link.right)
        neighbours.setdefault(link.right, set()).add(link.left)
    seen, waiting = {start}, [start]
    while waiting:
        for other in neighbours.get(waiting.pop(), ()):
            if other not in seen:
                seen.add(other)
                waiting.append(other)
    return frozenset(seen)


def evidence_of(
    row: Mapping[str, object], comparisons: Sequence[str], labels: Mapping[str, Sequence[str]]
) -> tuple[Evidence, ...]:
    """The evidence in one scored pair; comparisons with an unknown side are left out."""
    found = []
    for name in comparisons:
        level = row.get(f"{name}_level")
        weight = row.get(f"{name}_weight")
        if not isinstance(level, int) or level < 0 or not isinstance(weight, float):
            continue
        rising = labels.get(name, ())
        top = max(len(rising) - 1, 1)
        label = rising[level] if level < len(rising) else str(level)
        found.append(Evidence(name, min(level, top), top, weight, label))
    return tuple(found)


def _bar(evidence: Evidence) -> str:
    words = evidence.words.capitalize()
    if evidence.same:
        return f"{words}, same"
    if evidence.differs:
        return f"{words} differs"
    return f"{words}: {evidence.label.replace('_', ' ')}"


def _strongest_tree(links: Sequence[Link], profile_ids: Sequence[str]) -> tuple[Link, ...]:
    """Kruskal on links that come strongest first."""
    part = {profile_id: profile_id for profile_id in profile_ids}

    def root(profile_id: str) -> str:
        while part[profile_id] != profile_id:
            profile_id = part[profile_id]
        return profile_id

    tree = []
    for link in links:
        left, right = root(link.left), root(link.right)
        if left != right:
            part[left] = right
            tree.append(link)
    return tuple(tree)
