"""Every key of the review, as the ``?`` dialog lists them. A test holds the pages' buttons to this list."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class KeySection:
    """One heading of the dialog; ``entries`` are (keys, what they do)."""

    name: str
    entries: tuple[tuple[tuple[str, ...], str], ...]


KEY_SECTIONS: Final = (
    KeySection(
        "Decide",
        (
            (("m",), "Merge all, as previewed"),
            (("s",), "Split: group the members"),
            (("n",), "Not the same: keep all apart"),
            (("u",), "Unsure: leave for later"),
            (("a",), "Ask a colleague"),
            (("f",), "Fix at source"),
            (("z",), "Undo the last decision; in the history the current row’s"),
        ),
    ),
    KeySection(
        "Group and choose",
        (
            (("1", "9"), "Put this member in group 1–9, go to the next"),
            (("0",), "Leave this member open"),
            (("x",), "Detach this member"),
            (("⌫",), "Back one member"),
            (("p",), "Make this column main"),
            (("v",), "Take this cell’s value"),
            (("o",), "Keep this given-up value in Attributes"),
            (("r",), "Back to the rule’s choices"),
            (("Enter",), "Save the split, or confirm what is asked"),
        ),
    ),
    KeySection(
        "Look",
        (
            (("←", "↑", "↓", "→"), "Move between cells"),
            (("w", "W"), "Next, previous pair"),
            (("e",), "Equal and empty fields"),
            (("b",), "Blind: hide weights and suggestion"),
            (("c",), "Note; Enter saves, Shift+Enter breaks the line"),
            (("h",), "Hide personal data"),
            (("d",), "Density"),
        ),
    ),
    KeySection(
        "Move",
        (
            (("j",), "Next cluster, no decision"),
            (("k",), "Previous cluster"),
            (("q",), "Queue"),
            (("y",), "History (not in a batch)"),
            (("/",), "Find a cluster"),
            (("Esc",), "Leave a field, close, cancel"),
            (("?",), "These keys"),
        ),
    ),
    KeySection(
        "Queue",
        (
            (("↑", "↓"), "Pattern"),
            (("Enter",), "Open the pattern"),
            (("g",), "Next single cluster"),
            (("r",), "Resume; after an error: try again"),
            (("t",), "Take 50, or take over"),
            (("o",), "Hand back"),
        ),
    ),
    KeySection(
        "Batch",
        (
            (("y",), "Right"),
            (("n",), "Wrong: stops the batch"),
            (("u",), "Unsure: counts as wrong"),
            (("↑", "↓"), "Another look"),
            (("x",), "Take this cluster out: it is judged by itself"),
            (("l",), "List the others"),
            (("o",), "One by one instead"),
            (("Enter",), "Approve"),
        ),
    ),
)
