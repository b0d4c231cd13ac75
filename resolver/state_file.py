"""What a run leaves for the next one, in a directory ``state`` beside its results.

It is written beside and takes its name when it is whole. Tables lie uncompressed,
so that the next run maps them into memory. The model and the block index of the run that learned it never
change; runs after it share those files (hard links).
"""

from __future__ import annotations

import json
import os
import shutil
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, fields
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import polars as pl

from resolver.matching.block_index import BlockIndex
from resolver.matching.parameters import Parameters
from resolver.matching.results import Membership
from resolver.matching.standardising.context import Context
from resolver.matching.state import Links, Rows, State
from resolver.matching.tokens import KnownValues
from resolver.matching.trained import Frequencies, Trained
from resolver.model.standardised import Kind
from resolver.whole_file import whole, write_frame, write_json

if TYPE_CHECKING:
    from pathlib import Path

    from resolver.model.rule_set import RuleSet

#: Changes with all that a state depends on: what is hashed, standardised, blocked, how
#: equal weights are ranked, and how it is written.
FORMAT: Final = 6
DIRECTORY: Final = "state"
_PARTIAL: Final = f".{DIRECTORY}.partial"
_MARK: Final = "state.json"
_WRITERS: Final = 4
_UNREADABLE: Final = (OSError, ValueError, KeyError, pl.exceptions.PolarsError)


def engine() -> dict[str, Any]:
    """What must be the same for a state to be of use: hashes of texts are those of one version of Polars."""
    return {
        "format": FORMAT,
        "resolver": version("resolver"),
        "polars": pl.__version__,
        "numpy": np.__version__,
    }


@dataclass(frozen=True, slots=True)
class Origin:
    """Whose state it is: the run's directory, the rules, the domain (empty: a file).

    ``earlier`` is the run whose model and block index it shares.
    """

    out: Path
    rules: RuleSet
    domain: str = ""
    earlier: Path | None = None


def write_state(state: State, origin: Origin) -> None:
    """The state of a run, beside its results.

    Raises:
        BadFile: the directory cannot be written to.
    """
    prepare_state(state, origin)
    publish_state(origin.out)


def publish_state(out: Path) -> None:
    """Give the state that was prepared its name, now that the results are there that it belongs to."""
    forget_state(out)
    (out / _PARTIAL).rename(out / DIRECTORY)


def prepare_state(state: State, origin: Origin) -> None:
    """Write the state of a run under a name where no one looks for it.

    Raises:
        BadFile: the directory cannot be written to.
    """
    out, earlier = origin.out, origin.earlier
    directory = out / _PARTIAL
    shutil.rmtree(directory, ignore_errors=True)
    trained = state.trained

    def write_index(k: int) -> None:
        path = directory / f"index-{k}.npy"
        if not _shared(path, earlier):
            with whole(path) as partial, partial.open("wb") as file:
                np.save(file, state.index.first[k])

    def write_later() -> None:
        later = [
            pl.DataFrame({"word": words}).with_columns(key=pl.lit(k))
            for k, words in enumerate(state.index.later)
        ]
        _write_ipc(pl.concat([_NO_WORDS, *later]), directory / "later.arrow")

    def write_model() -> None:
        if not _shared(directory / "frequencies.arrow", earlier):
            _write_ipc(_frequencies_frame(trained), directory / "frequencies.arrow")
        if not _shared(directory / "model.json", earlier):
            write_json(_described(trained), directory / "model.json")
        decided = state.decisions.select("profile_id_left", "profile_id_right", "verdict")
        write_frame(decided, directory / "decisions.parquet")

    parts = [
        lambda: _write_ipc(_rows_frame(state.rows), directory / "rows.arrow"),
        lambda: _write_ipc(_links_frame(state.links), directory / "links.arrow"),
        write_later,
        write_model,
        *((lambda k=k: write_index(k)) for k in range(len(state.index.first))),
    ]
    with ThreadPoolExecutor(_WRITERS) as pool:  # each waits for the disk
        list(pool.map(lambda write: write(), parts))
    mark = {
        "engine": engine(),
        "rule_set": origin.rules.fingerprint,
        "domain": origin.domain,
        "numbers": state.numbers,
        "changed_since_learned": state.changed,
        "figures": list(state.figures),
        "candidates": state.candidates,
        "keys": len(state.index.first),
    }
    write_json(mark, directory / _MARK)


def forget_state(out: Path) -> None:
    """Take the state of a run away: its results are about to be others."""
    (out / DIRECTORY / _MARK).unlink(missing_ok=True)
    shutil.rmtree(out / DIRECTORY, ignore_errors=True)


def latest_run(out: Path, domain: str) -> Path | None:
    """The directory of the run of a domain that kept its state last: ``out`` itself or one beside it."""
    found = []
    for mark in [*out.glob(f"{DIRECTORY}/{_MARK}"), *out.parent.glob(f"*/{DIRECTORY}/{_MARK}")]:
        try:
            if json.loads(mark.read_text(encoding="utf-8")).get("domain") == domain:
                found.append((mark.stat().st_mtime_ns, str(mark.parent.parent), mark.parent.parent))
        except (OSError, ValueError, AttributeError):  # none that can be read is none that can be used
            continue
    return max(found)[2] if found else None


def refusal(out: Path, rules: RuleSet) -> str | None:
    """Why the state of a run cannot be gone on from; None if it can."""
    try:
        mark = json.loads((out / DIRECTORY / _MARK).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return f"{out.name} holds no state of a run"
    if mark.get("engine") != engine():
        return f"the state of {out.name} is that of another version"
    if mark.get("rule_set") != rules.fingerprint:
        return f"the state of {out.name} was made by other rules ({mark.get('rule_set')})"
    return None


def read_trained(out: Path) -> Trained | None:
    """The model in the state of a run, which ``refusal`` has nothing against; None where it is damaged."""
    try:
        return _trained(out / DIRECTORY)
    except _UNREADABLE:
        return None


def read_state(out: Path) -> State | None:
    """The state of a run, which ``refusal`` has nothing against; None where it is damaged."""
    directory = out / DIRECTORY
    try:
        mark = json.loads((directory / _MARK).read_text(encoding="utf-8"))
        trained = _trained(directory)
        rows, links = _read_ipc(directory / "rows.arrow"), _read_ipc(directory / "links.arrow")
        later = _read_ipc(directory / "later.arrow")
        keys = range(mark["keys"])
        index = BlockIndex(
            trained.bits,
            tuple(np.load(directory / f"index-{k}.npy", mmap_mode="r") for k in keys),
            tuple(later.filter(pl.col("key") == k)["word"].to_numpy() for k in keys),
        )
        decisions = pl.read_parquet(directory / "decisions.parquet")
        return State(
            trained,
            _rows(rows),
            _links(links, len(trained.columns)),
            index,
            decisions,
            mark["numbers"],
            mark["changed_since_learned"],
            tuple(mark["figures"]),
            mark["candidates"],
        )
    except _UNREADABLE:
        return None


def _shared(path: Path, earlier: Path | None) -> bool:
    """Whether an earlier run's state has the file: it gets a second name, or a copy where that cannot be."""
    theirs = earlier and earlier / DIRECTORY / path.name
    if theirs is None or not theirs.exists():
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(theirs, path)
    except OSError:
        shutil.copyfile(theirs, path)
    return True


def _write_ipc(frame: pl.DataFrame, path: Path) -> None:
    with whole(path) as partial:
        frame.write_ipc(partial, compression="uncompressed")


def _read_ipc(path: Path) -> pl.DataFrame:
    return pl.read_ipc(path).rechunk()


_NO_WORDS: Final = pl.DataFrame(schema={"word": pl.UInt64, "key": pl.Int32})
_ROW_COLUMNS: Final = ("name", "content", "cleaned", "number", "part", "near", "core")
#: Of ``Membership``, written as ``told_<column>``.
_TOLD: Final = tuple(field.name for field in fields(Membership))
_LINK_COLUMNS: Final = ("left", "right", "key", "weight")
_CUTS: Final = 3


def _rows_frame(rows: Rows) -> pl.DataFrame:
    columns = {name: getattr(rows, name) for name in _ROW_COLUMNS}
    told = {f"told_{name}": getattr(rows.told, name) for name in _TOLD}
    return pl.DataFrame(columns | told | {f"cut{k}": rows.clusters[k] for k in range(_CUTS)})


def _rows(frame: pl.DataFrame) -> Rows:
    columns = {name: frame[name].to_numpy() for name in _ROW_COLUMNS}
    told = Membership(**{name: frame[f"told_{name}"].to_numpy() for name in _TOLD})
    cuts = np.stack([frame[f"cut{k}"].to_numpy() for k in range(_CUTS)])
    return Rows(**columns, told=told, clusters=cuts)


def _links_frame(links: Links) -> pl.DataFrame:
    columns = {name: getattr(links, name) for name in _LINK_COLUMNS}
    return pl.DataFrame(columns | {f"byte{k}": row for k, row in enumerate(links.bytes_)})


def _links(frame: pl.DataFrame, columns: int) -> Links:
    found = {name: frame[name].to_numpy() for name in _LINK_COLUMNS}
    return Links(**found, bytes_=np.stack([frame[f"byte{k}"].to_numpy() for k in range(columns)]))


def _frequencies_frame(trained: Trained) -> pl.DataFrame:
    return pl.concat(
        pl.DataFrame({"word": one.words, "first": one.first, "last": one.last}).with_columns(column=pl.lit(k))
        for k, one in enumerate(trained.frequencies)
    )


def _described(trained: Trained) -> dict[str, Any]:
    """All of a model but its frequencies, as JSON."""
    return {
        "profiles": trained.profiles,
        "fields": list(trained.fields),
        "columns": list(trained.columns),
        "context": asdict(trained.context),
        "start": json.loads(trained.start.to_json()),
        "model": json.loads(trained.model.to_json()),
        "keys": trained.keys,
        "bits": trained.bits,
        "parts": list(trained.parts),
        "present": trained.present,
        "known": {name: asdict(known) for name, known in trained.known.items()},
        "usual": [one.usual for one in trained.frequencies],
    }


def _trained(directory: Path) -> Trained:
    data = json.loads((directory / "model.json").read_text(encoding="utf-8"))
    held = _read_ipc(directory / "frequencies.arrow")
    frequencies = []
    for k, usual in enumerate(data["usual"]):
        own = held.filter(pl.col("column") == k)
        word, first, last = (own[name].to_numpy() for name in ("word", "first", "last"))
        frequencies.append(Frequencies(word, first, last, (usual[0], usual[1])))
    context = data["context"]
    kinds = {key: Kind(kind) for key, kind in context["attributes"].items()}
    return Trained(
        data["profiles"],
        tuple(data["fields"]),
        tuple(data["columns"]),
        Context(context["region"], context["day_first"], kinds),
        Parameters.from_json(json.dumps(data["start"])),
        Parameters.from_json(json.dumps(data["model"])),
        None if data["keys"] is None else tuple((name, size) for name, size in data["keys"]),
        data["bits"],
        tuple(data["parts"]),
        tuple(tuple(row) for row in data["present"]),
        {
            name: KnownValues(known["values"], known["words"], tuple(known["vague_days"]))
            for name, known in data["known"].items()
        },
        tuple(frequencies),
    )
