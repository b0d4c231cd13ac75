from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from resolver.errors import BadFile
from resolver.local.normalisation import email, name, phone
from resolver.profiles.search_keys import SearchKey, keys_of, read_keys

phones = st.text(alphabet="0123456789+-(). /x\u00a0", max_size=18) | st.builds(
    "{}{}{}".format,
    st.sampled_from(["", "+1", "1", "+1 ", "001", "+44"]),
    st.sampled_from(["206", "(206) ", "123", "020 "]),
    st.sampled_from(["3457890", "345-7890", "345.78 90"]),
)


@given(st.lists(phones, min_size=2, max_size=6))
def test_phones_that_count_as_one_key_are_one_in_the_services_index(values):
    """Merging two keys that the index keeps apart would lose profiles: its own rule is the judge."""
    for left in values:
        for right in values:
            if SearchKey("_phone", left).normalised == SearchKey("_phone", right).normalised:
                assert phone(left) == phone(right)


@given(st.text(max_size=8), st.text(max_size=8))
def test_names_and_emails_that_count_as_one_key_are_one_in_the_services_index(left, right):
    for key_name, index in (("_email", email), ("_fullName", name)):
        if SearchKey(key_name, left).normalised == SearchKey(key_name, right).normalised:
            assert index(left) == index(right)


def test_a_number_is_asked_once_however_it_is_written():
    spellings = ["+1 (206) 345-7890", "2063457890", "1-206-345-7890", "206.345.7890"]

    assert len({SearchKey("_phone", spelling).normalised for spelling in spellings}) == 1


def test_accounts_differ_by_case_and_emails_do_not():
    assert SearchKey("_account", "A1").normalised != SearchKey("_account", "a1").normalised
    assert SearchKey("_email", " Ana@X.io").normalised == SearchKey("_email", "ana@x.io").normalised


def test_a_profile_is_found_by_every_phone_email_account_and_its_full_name():
    profile = {
        "ProfileId": "p",
        "AccountNumber": "a-1",
        "FirstName": "Ana",
        "LastName": "Ruiz",
        "HomePhoneNumber": "1",
        "BusinessPhoneNumber": "2",
        "PersonalEmailAddress": "a@x.io",
    }

    assert set(keys_of(profile)) == {
        SearchKey("_account", "a-1"),
        SearchKey("_phone", "1"),
        SearchKey("_phone", "2"),
        SearchKey("_email", "a@x.io"),
        SearchKey("_fullName", "Ana Ruiz"),
    }


def test_a_full_name_too_long_to_search_for_is_left_out():
    assert list(keys_of({"FirstName": "x" * 200, "LastName": "y" * 55})) == []


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_keys_come_from_csv_and_parquet_with_leading_zeros_kept(tmp_path, suffix):
    path = tmp_path / f"keys.{suffix}"
    frame = pl.DataFrame({"extra": [1, 2], "value": ["00123", "ß@x.io"], "key_name": ["_account", "_email"]})
    frame.write_csv(path) if suffix == "csv" else frame.write_parquet(path)

    assert read_keys(path) == [SearchKey("_account", "00123"), SearchKey("_email", "ß@x.io")]


BAD = {
    "no such file": ("gone.csv", None),
    "columns there: key_name": ("keys.csv", b"key_name\n_account\n"),
    "no keys in it": ("keys.csv", b"key_name,value\n"),
    "no value in row 2, 3": ("keys.csv", b'key_name,value\n_account,1\n_account,\n_account," "\n'),
    "a key_name that is none .* in row 1": ("keys.csv", b"key_name,value\nnot a name,1\n"),
    "over 255 characters in row 1": ("keys.csv", b"key_name,value\n_account," + b"x" * 256 + b"\n"),
    "not a readable parquet file": ("keys.parquet", b"key_name,value\n_account,1\n"),
    "not a readable csv file": ("keys.csv", b""),
    "come as .csv or .parquet": ("keys.txt", b"key_name,value\n"),
}


@pytest.mark.parametrize(("complaint", "file"), BAD.items(), ids=BAD)
def test_a_bad_key_file_is_one_clear_error(tmp_path, complaint, file):
    name, content = file
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)

    with pytest.raises(BadFile, match=complaint) as caught:
        read_keys(path)

    assert "\n" not in str(caught.value)


def test_a_column_of_numbers_is_refused_as_it_has_lost_its_zeros(tmp_path):
    path = tmp_path / "keys.parquet"
    pl.DataFrame({"key_name": ["_account"], "value": [123]}).write_parquet(path)

    with pytest.raises(BadFile, match="column value holds Int64, not text"):
        read_keys(path)
