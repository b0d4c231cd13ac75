# ruff: noqa: PLR2004 - the shares of an invented population stand where they are drawn
"""Populations in which most customers agree with others: what estimation must not take for a match.

usage: python benchmarks/populations.py [CUSTOMERS ...] [--seed 1] [--rules FILE]

Prints for each population F1 and what a merge without a person would get right. Every customer stands in it
once, a third of them again with a fifth of the values lost and some names and streets mistyped.

families      surname, address, telephone and one mailbox of all; first names and birth dates are their own
offices       employer, address, switchboard and mail domain of all
desks         the same, with one mailbox for the office
agencies      telephone and mailbox of the agency that booked for them; they live anywhere
branches      a chain's name and mail domain; some share town or mailbox
call centres  a chain's name and telephone; addresses are their own
malls         address, and half of them the switchboard; name and mailbox are their own
namesakes     every third has another's name, address and telephone; birth dates and mailboxes are their own
twins         in pairs: surname, address, telephone and birth date; first names and mailboxes are their own
accounts      families under one account number; first names, birth dates and mailboxes are their own
policies      the same, the number among the attributes
homes         families with one mailbox, of whom no address is known
contacts      people of one company: its name, address, telephone, mail domain and account number
logins        nothing is shared, but the second profile has name and mailbox only
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import polars as pl

from resolver.matching.evaluation import score_clusters
from resolver.matching.linkage import link_profiles
from resolver.model.frames import DECISIONS, empty
from resolver.profile_columns import to_profiles
from resolver.rule_file import load_rules

if TYPE_CHECKING:
    from collections.abc import Callable

    from resolver.model.rule_set import RuleSet

    Row = dict[str, Any]

BEGIN: Final = """
Ba Be Bro Ca Cor Da Del Fa Fen Ga Gor Ha Hol Ja Ka Lan Lo Ma Mor Na Nor Pa Per Ra Ro Sa Ster Ta Tor Va
Wal Win
""".split()
END: Final = """
ber by den dez dorf field ford ger ham ings ker land ley lin low man mer ner nez nik ros sen ski son
ston ter ton vic well wood
""".split()
FIRST: Final = """
Ada Alan Alice Amir Ana Andre Anna Bela Ben Carla Carlos Chen Clara Daniel David Dina Elena Emil Erik
Eva Fatima Felix Frank Gina Grace Hana Hugo Ida Igor Iris Ivan Jack Jana Joan John Jonas Jose Julia Kai
Karen Lara Laura Leo Lena Lina Luis Maria Mark Marta Mila Nadia Nina Noah Nora Olga Omar Otto Paul Pedro
Petra Rosa Ruth Sara Sofia Tara Thomas Tom Uma Vera Victor Walter Wanda Yara Yusuf Zoe
""".split()
MIDDLE: Final = ("an", "el", "er", "in", "la", "mo", "ni", "ra")
STREETS: Final = """
Main Oak Maple Park Lake Hill Cedar Elm Market Church Mill River Spring Bridge Canal Garden Station
School
""".split()
KINDS: Final = "Logistics Foods Dental Pizza Fitness Pharmacy Books Optics Motors Bakery".split()
MAIL: Final = ("gmail.com", "yahoo.com", "outlook.com", "aol.com")
AREAS: Final = (206, 303, 312, 404, 415, 512, 617, 718)


class Population:
    """Customers drawn by seed: each function adds one, by the first of its group and its place there."""

    def __init__(self, customers: int, seed: int) -> None:
        self.draw = np.random.default_rng(seed)
        self.customers = customers

    def one(self, words: list[str] | tuple[Any, ...]) -> Any:
        """One of them."""
        return words[int(self.draw.integers(0, len(words)))]

    def surname(self) -> str:
        """One of some thousands."""
        return str(self.one(BEGIN)) + str(self.one(("", "", *MIDDLE))) + str(self.one(END))

    def date(self) -> str:
        """A birth date."""
        year, month, day = (self.draw.integers(*span) for span in ((1940, 2005), (1, 13), (1, 29)))
        return f"{year}-{month:02d}-{day:02d}"

    def person(self) -> Row:
        """A customer who shares nothing but by chance."""
        first, last = self.one(FIRST), self.surname()
        area = int(self.draw.integers(10_000, 99_999))
        return {
            "FirstName": first,
            "LastName": last,
            "BirthDate": self.date(),
            "PhoneNumber": f"+1{self.one(AREAS)}{self.draw.integers(2_000_000, 9_999_999)}",
            "EmailAddress": f"{first}.{last}{self.draw.integers(1, 9_999)}@{self.one(MAIL)}".lower(),
            "Address1": f"{self.draw.integers(1, 9_999)} {self.surname()} {self.one(STREETS)} St",
            "City": f"{BEGIN[area % len(BEGIN)]}{END[area // 100 % len(END)]}",
            "PostalCode": str(area),
            "State": ("CA", "NY", "TX", "WA")[area % 4],
        }

    def groups(self, largest: int, make: Callable[[Row, int], Row]) -> list[Row]:
        """Groups of 1 to ``largest``; ``make`` gives a customer from the first of a group and its number."""
        rows: list[Row] = []
        while len(rows) < self.customers:
            head, number = self.person(), len(rows)
            size = min(int(self.draw.integers(1, largest + 1)), self.customers - number)
            rows.extend([make(head, number) for _ in range(size)])
        return rows


PLACE: Final = ("Address1", "City", "PostalCode", "State")


def families(drawn: Population) -> list[Row]:
    """As the module says."""

    def make(head: Row, number: int) -> Row:
        mail = f"{head['LastName']}.family{number}@gmail.com".lower()
        return drawn.person() | _of(head, *PLACE, "LastName", "PhoneNumber") | {"EmailAddress": mail}

    return drawn.groups(5, make)


def _office(drawn: Population, mailbox: str, largest: int = 40, *, account: bool = False) -> list[Row]:
    def make(head: Row, number: int) -> Row:
        name = f"{head['LastName']} {KINDS[number % len(KINDS)]}"
        row = drawn.person() | _of(head, *PLACE, "PhoneNumber") | {"BusinessName": name, "BirthDate": None}
        own = mailbox or f"{row['FirstName']}.{row['LastName']}"
        mail = f"{own}@{head['LastName']}corp{number}.com".lower()
        return row | {"EmailAddress": mail} | ({"AccountNumber": f"C{100_000 + number}"} if account else {})

    return drawn.groups(largest, make)


def offices(drawn: Population) -> list[Row]:
    """As the module says."""
    return _office(drawn, "")


def desks(drawn: Population) -> list[Row]:
    """As the module says."""
    return _office(drawn, "info")


def agencies(drawn: Population) -> list[Row]:
    """As the module says."""

    def make(head: Row, number: int) -> Row:
        mail = f"bookings{number}@agency{number}.com"
        return drawn.person() | _of(head, "PhoneNumber") | {"EmailAddress": mail}

    return drawn.groups(25, make)


def _company(row: Row, name: str, mail: str | None) -> Row:
    none = {"FirstName": None, "LastName": None, "BirthDate": None}
    return row | none | {"BusinessName": name, "EmailAddress": mail}


def branches(drawn: Population) -> list[Row]:
    """As the module says."""

    def make(head: Row, number: int) -> Row:
        row = drawn.person() | (_of(head, "City", "State") if drawn.draw.random() < 0.2 else {})
        name = f"{head['LastName']} {head['FirstName']} {KINDS[number % len(KINDS)]}"
        mail = f"{drawn.one(('info', 'sales', 'office', 'mail'))}@{name.replace(' ', '')}{number}.com".lower()
        return _company(row, name, mail)

    return drawn.groups(30, make)


def call_centres(drawn: Population) -> list[Row]:
    """As the module says."""

    def make(head: Row, number: int) -> Row:
        name = f"{head['LastName']} {head['FirstName']} {KINDS[number % len(KINDS)]}"
        return _company(drawn.person() | _of(head, "PhoneNumber"), name, None)

    return drawn.groups(30, make)


def malls(drawn: Population) -> list[Row]:
    """As the module says."""

    def make(head: Row, _number: int) -> Row:
        row = drawn.person()
        shared = (*PLACE, "PhoneNumber") if drawn.draw.random() < 0.5 else PLACE
        name = f"{row['LastName']} {drawn.one(KINDS)}"
        mail = f"info@{row['LastName']}{drawn.draw.integers(1, 99_999)}.com".lower()
        return _company(row | _of(head, *shared), name, mail)

    return drawn.groups(30, make)


def namesakes(drawn: Population) -> list[Row]:
    """As the module says."""
    rows: list[Row] = []
    for number in range(drawn.customers):
        row = drawn.person()
        same = (*PLACE, "FirstName", "LastName", "PhoneNumber") if number % 3 == 1 else ()
        rows.append(row | _of(rows[-1] if rows else row, *same))
    return rows


def twins(drawn: Population) -> list[Row]:
    """As the module says."""

    def make(head: Row, _number: int) -> Row:
        return drawn.person() | _of(head, *PLACE, "LastName", "PhoneNumber", "BirthDate")

    return drawn.groups(2, make)


def accounts(drawn: Population) -> list[Row]:
    """As the module says."""

    def make(head: Row, number: int) -> Row:
        shared = _of(head, *PLACE, "LastName", "PhoneNumber")
        return drawn.person() | shared | {"AccountNumber": f"{70_000_000 + 7_919 * number}"}

    return drawn.groups(5, make)


def policies(drawn: Population) -> list[Row]:
    """As the module says."""
    rows = accounts(drawn)
    return [
        {k: v for k, v in row.items() if k != "AccountNumber"}
        | {"Attributes": json.dumps({"policy": f"P{row['AccountNumber']}"})}
        for row in rows
    ]


def homes(drawn: Population) -> list[Row]:
    """As the module says."""
    return [{k: v for k, v in row.items() if k not in PLACE} for row in families(drawn)]


def contacts(drawn: Population) -> list[Row]:
    """As the module says."""
    return _office(drawn, "", 20, account=True)


def logins(drawn: Population) -> list[Row]:
    """As the module says."""
    return [drawn.person() for _ in range(drawn.customers)]


#: What a second profile has, where it is not a damaged first.
THIN: Final = {"logins": ("FirstName", "LastName", "EmailAddress")}


def _of(row: Row, *names: str) -> Row:
    return {name: row[name] for name in names}


POPULATIONS: Final = (
    *(families, offices, desks, agencies, branches, call_centres, malls),
    *(namesakes, twins, accounts, policies, homes, contacts, logins),
)


def entries(make: Callable[[Population], list[Row]], customers: int, seed: int) -> pl.DataFrame:
    """The file: ``profile_id``, ``entity_id`` (the truth) and profile fields, in random order."""
    drawn = Population(customers, seed)
    once = [row | {"entity_id": str(number)} for number, row in enumerate(make(drawn))]
    kept = THIN.get(make.__name__)
    again = [
        _of(once[k], *kept, "entity_id") if kept else _damaged(drawn, once[k])
        for k in drawn.draw.integers(0, len(once), len(once) // 3)
    ]
    rows = pl.DataFrame([*once, *again], infer_schema_length=None)
    rows = rows[drawn.draw.permutation(rows.height).tolist()]
    return rows.with_columns(profile_id=pl.int_range(rows.height).cast(pl.String))


def _damaged(drawn: Population, row: Row) -> Row:
    out = dict(row)
    for name, value in row.items():
        luck = drawn.draw.random()
        if name == "entity_id" or value is None:
            continue
        if luck < 0.18:
            out[name] = None
        elif luck < 0.25 and name in ("FirstName", "LastName", "BusinessName", "Address1", "City"):
            cut = int(drawn.draw.integers(1, len(value)))
            out[name] = value[:cut] + value[cut + 1 :]
        elif luck < 0.30 and name == "FirstName":
            out[name] = value[0]
    return out


def measured(rows: pl.DataFrame, rules: RuleSet) -> tuple[float, float, float]:
    """Pairwise F1 of the clusters, precision and recall of what would be merged without a person."""
    truth = rows.select("profile_id", "entity_id")
    clusters = link_profiles(
        to_profiles(rows.drop("entity_id")), rules, empty(DECISIONS), lambda *_: None
    ).clusters
    cores = score_clusters(clusters.select("profile_id", cluster_id="core_id"), truth)
    return score_clusters(clusters, truth).f1, cores.precision, cores.recall


def table(rules: RuleSet, sizes: list[int], seed: int) -> str:
    """A line for each population and size."""
    lines = []
    for make in POPULATIONS:
        name = make.__name__.replace("_", " ")
        for size in sizes:
            f1, precision, recall = measured(entries(make, size, seed), rules)
            lines.append(
                f"  {name:13s} {size:>7,}  F1 {f1:.4f}   merge band P {precision:.4f} R {recall:.3f}"
            )
    return "\n".join(lines)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("customers", type=int, nargs="*", default=[1_000, 3_000, 40_000])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rules", type=Path)
    asked = parser.parse_args()
    print(table(load_rules(asked.rules), asked.customers, asked.seed))


if __name__ == "__main__":
    main()
