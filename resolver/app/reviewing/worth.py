"""What judging a cluster is worth: the callers it would help, and how likely the model is wrong there."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from resolver.model.profile import EMAILS, PHONES
from resolver.planning.likeness import likeness
from resolver.planning.members import flat

if TYPE_CHECKING:
    from resolver.app.reviewing.batch import Case


def callers_helped(case: Case) -> int:
    """Numbers and mailboxes that find several members today, and would find one."""
    holders: Counter[Any] = Counter()
    for profile_id in case.profile_ids:
        held = flat(case.profiles[profile_id])
        holders.update({likeness(name, held[name]) for name in (*PHONES, *EMAILS) if name in held})
    return sum(count > 1 for count in holders.values())


def worth(case: Case) -> float:
    """Callers helped times risk, in callers: how many of them a wrong answer would concern on average.

    The risk is that the weakest link of the cluster does not hold: 1 − its match probability; 1 where no
    scored link holds the members together.
    """
    weakest = case.web.weakest
    return callers_helped(case) * (1.0 - weakest.probability if weakest else 1.0)
