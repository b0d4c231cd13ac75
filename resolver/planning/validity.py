"""Whether a phone number can be rung and an e-mail address can be written to, by their form alone."""

from __future__ import annotations

import re
from functools import cache, lru_cache
from typing import Final

from phonenumbers import COUNTRY_CODE_TO_REGION_CODE, PhoneMetadata

#: A mail address in small letters.
EMAIL_FORM: Final = r"[^\s@<>()\[\],;:\"]+@(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+[a-z][a-z0-9-]*[a-z0-9]"
_EMAIL: Final = re.compile(EMAIL_FORM)
_NON_DIGITS: Final = re.compile(r"\D+")
_EXTENSION: Final = re.compile(r"[x;#]|ext", re.IGNORECASE)
#: RFC 2606 reserves these for documentation: no mail arrives there.
RESERVED_DOMAINS: Final = (
    ".example",
    ".invalid",
    ".test",
    ".localhost",
    "@example.com",
    "@example.org",
    "@example.net",
)
#: E.164 allows 15 digits; no country's full number is shorter than 7.
LENGTHS: Final = range(7, 16)
_TYPES: Final = (
    "fixed_line",
    "mobile",
    "toll_free",
    "premium_rate",
    "shared_cost",
    "personal_number",
    "voip",
    "pager",
    "uan",
    "voicemail",
)


def valid_email(text: str) -> bool:
    """Whether the text is one address in a domain that can receive mail, as far as its form tells."""
    address = text.strip().casefold()
    return _EMAIL.fullmatch(address) is not None and not address.endswith(RESERVED_DOMAINS)


@lru_cache(maxsize=200_000)
def valid_phone(text: str, region: str | None) -> bool:
    """Whether the numbering plan of its country knows the number (libphonenumber's metadata).

    A number without a country code is read in ``region``; without one it counts as valid when it has 7 to 15
    digits that are not all alike.
    """
    digits = _NON_DIGITS.sub("", _EXTENSION.split(text, maxsplit=1)[0])
    return valid_digits(digits, region, international=text.lstrip().startswith(("+", "00", "(+")))


def valid_digits(digits: str, region: str | None, *, international: bool) -> bool:
    """The same of a number's digits without its extension, and whether it begins with a country code."""
    if len(digits) not in LENGTHS or len(set(digits)) == 1:
        return False
    if international:
        return _international(digits.removeprefix("00"))
    if region is None:
        return True
    return _national(digits, region) or _international(digits)


def _international(digits: str) -> bool:
    for length in (1, 2, 3):
        regions = COUNTRY_CODE_TO_REGION_CODE.get(int(digits[:length]))
        if regions and not digits.startswith("0"):
            return any(_pattern(r, int(digits[:length])).fullmatch(digits[length:]) for r in regions)
    return False


def _national(digits: str, region: str) -> bool:
    metadata = PhoneMetadata.metadata_for_region(region)
    if metadata is None:
        return True
    prefix = metadata.national_prefix or ""
    pattern = _pattern(region, metadata.country_code)
    return bool(pattern.fullmatch(digits)) or bool(
        prefix and digits.startswith(prefix) and pattern.fullmatch(digits.removeprefix(prefix))
    )


def national_pattern(region: str) -> str | None:
    """The pattern of what ``valid_digits`` takes for a number dialled in a region; None of an unknown one."""
    metadata = PhoneMetadata.metadata_for_region(region)
    if metadata is None or metadata.country_code is None:
        return None
    return f"^(?:{metadata.national_prefix or ''})?(?:{_pattern(region, metadata.country_code).pattern})$"


def international_pattern(country_code: int) -> str:
    """The pattern of what it takes for a number behind a country code."""
    regions = COUNTRY_CODE_TO_REGION_CODE[country_code]
    patterns = "|".join(f"(?:{_pattern(region, country_code).pattern})" for region in regions)
    return f"^{country_code}(?:{patterns})$"


@cache
def _pattern(region: str, country_code: int) -> re.Pattern[str]:
    """Every number type of a region in one expression."""
    metadata = (
        PhoneMetadata.metadata_for_nongeo_region(country_code)
        if region == "001"
        else PhoneMetadata.metadata_for_region(region)
    )
    kinds = (getattr(metadata, kind) for kind in _TYPES)
    patterns = [k.national_number_pattern for k in kinds if k is not None and k.national_number_pattern]
    return re.compile("|".join(f"(?:{p})" for p in patterns))
