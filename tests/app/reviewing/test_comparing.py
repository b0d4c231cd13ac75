from __future__ import annotations

import pytest
from workshop import batch_of, stories

from resolver.app.reviewing.comparing import HIDDEN, Subject, lay_out
from resolver.app.reviewing.outcome import Wish, foresee
from resolver.app.reviewing.relations import alike


def sheet_of(cluster_id, *, hidden=False, **wish):
    batch = batch_of(stories())
    case = batch.cases[cluster_id]
    plan = foresee(batch, Wish(cluster_id, wish.get("ids", case.profile_ids)))
    return case, lay_out(Subject(case, [plan], hidden))


@pytest.mark.parametrize(
    ("field", "one", "other", "same"),
    [
        ("MobilePhoneNumber", "+1 206 555 0142", "206.555.0142", True),
        ("MobilePhoneNumber", "+1 206 555 0142", "206.555.0163", False),
        ("MobilePhoneNumber", "+442079460000", "02079460000", True),
        ("PhoneNumber", "0142", "5550142", False),
        ("LastName", "Marín", "MARIN", True),
        ("LastName", "Marín", "Martin", False),
        ("EmailAddress", "A@x.io", "a@X.IO", True),
        ("EmailAddress", "a.b@x.io", "ab@x.io", False),
        ("BirthDate", "1984-03-12", "12/03/1984", True),
    ],
)
def test_values_that_a_reader_would_call_the_same(field, one, other, same):
    assert alike(field, one, other) is same
    assert alike(field, other, one) is same


def test_every_field_stands_in_one_section():
    _, sheet = sheet_of("cluster-h")
    names = [row.field for part in (sheet.differs, sheet.some, sheet.equal) for row in part]
    assert len(names) == len(set(names))
    assert not set(names) & set(sheet.empty)


def test_different_values_come_before_near_ones_and_those_before_spellings():
    _, sheet = sheet_of("cluster-h")
    grades = []
    for row in sheet.differs:
        signs = {cell.sign for cell in row.cells}
        grades.append(0 if "≠" in signs else 1 if "≈" in signs else 2)
    assert grades == sorted(grades)


def test_the_count_of_given_up_values_is_that_of_the_list():
    _, sheet = sheet_of("cluster-h")
    rows = (*sheet.differs, *sheet.some, *sheet.equal)
    told = [x for row in rows for left in row.left if left for x in left.losses if not x.spelling_only]
    assert sheet.given_up == (len(told),)
    kept = {left.value for row in rows for left in row.left if left and row.field == "FirstName"}
    assert not kept & {loss.value for row in rows if row.field == "FirstName" for loss in row.left[0].losses}


def test_hidden_values_leave_no_trace_but_their_relations():
    case, sheet = sheet_of("cluster-h", hidden=True)
    rows = (*sheet.differs, *sheet.some, *sheet.equal)
    texts = {text for row in rows for cell in row.cells for text, _ in cell.marks}
    assert texts == {HIDDEN}
    forms = {cell.form for row in rows for cell in row.cells}
    assert all(form == "" or form.startswith("as ") for form in forms)
    _, open_sheet = sheet_of("cluster-h")
    signs = [[c.sign for c in row.cells] for row in rows]
    assert signs == [
        [c.sign for c in row.cells] for row in (*open_sheet.differs, *open_sheet.some, *open_sheet.equal)
    ]
    assert {left.value for row in rows for left in row.left if left} == {HIDDEN}
    assert case.letters["h-a"] in case.letters.values()
