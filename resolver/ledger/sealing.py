"""Customers' data at rest: compressed, encrypted, authenticated.

Fernet (AES-128-CBC with HMAC-SHA256) of the ``cryptography`` package. Ids, states and counts stay legible: a
lost key costs the before-images, not the history.
"""

from __future__ import annotations

import os
import zlib
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from resolver.errors import BadInput, LedgerFailed

if TYPE_CHECKING:
    from collections.abc import Mapping

#: One key, or several separated by commas: the first seals, all of them open.
KEY: Final = "RESOLVER_LEDGER_KEY"
#: A file with one key a line, the first of which seals.
KEY_FILE: Final = "RESOLVER_LEDGER_KEY_FILE"
_MARK: Final = "sealed:"


class Seal:
    """Seals and opens texts with the keys at hand; makes a key file beside a ledger where nobody gave a key.

    ``made`` is the key file that this seal has made, null where it made none: whoever runs it should be told.
    """

    def __init__(self, keys: list[str], key_file: Path | None, source: str) -> None:
        self._fernet = _fernet(keys, source) if keys else None
        self._key_file = key_file
        self.source = source
        self.made: Path | None = None

    @property
    def usable(self) -> bool:
        """Whether there is a key, or a place to make one."""
        return self._fernet is not None or self._key_file is not None

    def seal(self, text: str) -> str:
        """The text as only a holder of the key can read it.

        Raises:
            LedgerFailed: there is no key, and no place to make one.
        """
        if self._fernet is None:
            self._fernet = self._first_key()
        packed = zlib.compress(text.encode(), level=6)
        return _MARK + self._fernet.encrypt(packed).decode()

    def open(self, text: str) -> str:
        """The text that was sealed; a text that never was comes back as it is.

        Raises:
            LedgerFailed: sealed with another key, or altered since.
        """
        if not is_sealed(text):
            return text
        try:
            if self._fernet is None:
                raise LedgerFailed(f"ledger: its key is missing ({self.source})")
            return zlib.decompress(self._fernet.decrypt(text.removeprefix(_MARK))).decode()
        except InvalidToken:
            raise LedgerFailed(
                f"ledger: a before-image was sealed with another key than {self.source}, or was altered"
            ) from None

    def _first_key(self) -> MultiFernet:
        if self._key_file is None:
            raise LedgerFailed(
                f"ledger: several hosts share it, so its key must be given: set {KEY} or {KEY_FILE} "
                "(`resolver ledger-key` prints a new one)"
            )
        if make_key_file(self._key_file):
            self.made = self._key_file
        return _fernet(_keys_in(self._key_file), str(self._key_file))


def is_sealed(text: str) -> bool:
    """Whether it takes a key to read the text."""
    return text.startswith(_MARK)


def new_key() -> str:
    """A fresh key, as ``RESOLVER_LEDGER_KEY`` and key files take it."""
    return Fernet.generate_key().decode()


def make_key_file(path: Path) -> bool:
    """A file with a fresh key that only its owner may read; false where there is one already.

    Raises:
        LedgerFailed: the file cannot be made.
    """
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(new_key() + "\n")
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(partial, path)  # whole or not at all, and never over another's
        except FileExistsError:
            return False
    except OSError as error:
        raise LedgerFailed(f"{path}: the ledger's key cannot be written there ({error.strerror})") from None
    finally:
        with suppress(OSError):
            partial.unlink()
    return True


def seal_for(database: str | None, environ: Mapping[str, str]) -> Seal:
    """The seal of a ledger: keys of the environment, else of the file beside it, which is made when needed.

    ``database`` is the file of a SQLite ledger, "" for one in memory, null for one that hosts share.

    Raises:
        BadInput: a key or a key file that cannot be used.
    """
    if given := environ.get(KEY):
        return Seal([key.strip() for key in given.split(",")], None, KEY)
    if named := environ.get(KEY_FILE):
        keys = _keys_in(Path(named))
        if not keys:
            raise BadInput(f"{named} ({KEY_FILE}): holds no key")
        return Seal(keys, None, named)
    if database is None:
        return Seal([], None, f"set {KEY} or {KEY_FILE}")
    if not database:
        return Seal([new_key()], None, "a key in memory")
    beside = Path(f"{database}.key")
    return Seal(_keys_in(beside) if beside.exists() else [], beside, str(beside))


def _keys_in(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="ascii").split()
    except (OSError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or "not a text"
        raise BadInput(f"{path}: the ledger's key cannot be read ({reason})") from None


def _fernet(keys: list[str], source: str) -> MultiFernet:
    try:
        return MultiFernet([Fernet(key) for key in keys])
    except ValueError:
        raise BadInput(
            f"{source}: not a key of a ledger (32 bytes in URL-safe base64; `resolver ledger-key` prints one)"
        ) from None
