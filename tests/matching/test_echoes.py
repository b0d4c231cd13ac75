"""A mailbox made of the names beside it says nothing that they have not said."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_kernels import assert_same, both

from resolver.matching.comparison import compare, level_of
from resolver.matching.echoes import _made_of_names


def person(first, last, *mails):
    slots = ("email_address", "personal_email_address", "business_email_address")
    return {"first_name": first, "last_name": last} | dict(zip(slots, mails, strict=False))


def email_level(columns, *made):
    cols = columns(made)
    k = next(k for k, column in enumerate(cols) if column.name == "email")
    bins = [np.full(column.wholes, 3, np.uint8) for column in cols]
    level = int(level_of(cols[k], compare(cols, bins, (np.array([0]), np.array([1])))[k])[0])
    return "unknown" if level < 0 else cols[k].comparison.rising[level].label


SLIPS = "same mailbox or two slips"


@pytest.mark.parametrize(
    ("one", "other", "level"),
    [
        # Anna Millers: their mailboxes are alike because they are
        ("anna.miller23@gmail.com", "anna.miller8911@gmail.com", "differ"),
        ("amiller@gmail.com", "anna_miller@yahoo.com", "differ"),
        ("anna.miller@gmail.com", "anna.miller@yahoo.com", "differ"),
        ("anna.miller@acme.com", "amiller@acme.com", "same own domain"),
        # digits that nobody has from a name are evidence
        ("anna.miller84@gmail.com", "anna.miller84@yahoo.com", SLIPS),
        # so is a mailbox of another name, whoever writes it
        ("bluebird99@gmail.com", "bluebird4711@gmail.com", "similar"),
        ("bluebird@gmail.com", "bluebird@yahoo.com", SLIPS),
        # equal is equal
        ("anna.miller@gmail.com", "anna.miller@gmail.com", "exact"),
    ],
)
def test_what_names_explain_is_not_counted_again(columns, one, other, level):
    pair = person("Anna", "Miller", one), person("Anna", "Miller", other)
    assert email_level(columns, *pair) == level
    assert email_level(columns, *pair[::-1]) == level


def test_colleagues_of_one_first_name_share_the_employer(columns):
    one = person("Anna", "Smith", "anna.smith@acme.com")
    other = person("Anna", "Smythers", "anna.smythers@acme.com")
    assert email_level(columns, one, other) == "same own domain"


def test_where_a_side_has_no_name_its_mailbox_speaks_for_it(columns):
    one = person(None, None, "anna.miller23@gmail.com")
    other = person("Anna", "Miller", "anna.miller891@gmail.com")
    assert email_level(columns, one, other) == "similar"


def test_a_second_mailbox_of_no_name_keeps_the_pair(columns):
    one = person("Anna", "Miller", "anna.miller1@gmail.com", "bluebird99@aol.com")
    other = person("Anna", "Miller", "anna.miller877@gmail.com", "bluebirdxyz@aol.com")
    assert email_level(columns, one, other) == "similar"


MAILS = st.sampled_from(
    [
        "ann.lee1@x.com",
        "ann.lee2@x.com",
        "alee@x.com",
        "lee@x.com",
        "bob99@x.com",
        "bob98@x.com",
        "ann.lee@y.org",
    ]
)
PEOPLE = st.builds(
    person,
    st.sampled_from(["ann", "anna", "bob", None]),
    st.sampled_from(["lee", "leigh", None]),
    MAILS,
    MAILS,
)


@given(st.lists(PEOPLE, min_size=2, max_size=6))
def test_pairs_do_not_influence_each_other(columns, made):
    cols = columns(made)
    bins = [np.full(column.wholes, 3, np.uint8) for column in cols]
    left, right = (side.astype(np.uint32) for side in np.triu_indices(len(made), 1))
    together = compare(cols, bins, (left, right))
    assert (compare(cols, bins, (right, left)) == together).all()
    for k in range(len(left)):
        assert (compare(cols, bins, (left[k : k + 1], right[k : k + 1]))[:, 0] == together[:, k]).all()


NAMES = st.text("annleb -'é0", max_size=8)
LOCALS = st.text("annleb.0129_", max_size=9) | st.sampled_from(
    ["ann.lee", "annlee07", "annlee7", "lee.ann", "n" + "1" * 18, "n" + "1" * 19, "n" + "1" * 30, ""]
)


@given(st.lists(st.tuples(NAMES, NAMES, LOCALS, LOCALS), min_size=1, max_size=12))
def test_kernels_read_mailboxes_as_expressions_do(columns, made):
    rows = [person(first, last, f"{a}@x.com", f"{b}@y.com") for first, last, a, b in made]
    rows.append(person("Ann", "Lee", "ann.lee1@x.com"))

    def read():
        place = {column.name: column for column in columns(rows)}
        three = [place[name] for name in ("first_name", "last_name", "email")]
        found, digits = _made_of_names(three, np.arange(len(rows)))
        every = np.concatenate(digits)
        return found, [np.asarray(own) == 0 for own in digits], every[:, None] == every[None, :]

    assert_same(*both(read))
