"""How commands speak: text for people, JSON for programs, progress on the side."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rich.console import Console
    from rich.progress import Progress, TaskID

#: Exit codes of the command line.
DONE, FAILED, BAD_USAGE, HELD, PARTLY, LOCKED = 0, 1, 2, 3, 4, 75


#: What a log line may hold: counts and times. Anything else that a stage might tell stays out of logs.
LOG_FIELDS: Final = frozenset(
    (
        *("breaches", "calls", "clusters", "comparisons", "cpu_seconds", "fields", "iterations", "keys"),
        *("objects", "pairs", "pass", "peak_mib", "plans", "profiles", "profiles_merged_away", "seconds"),
    )
)


@dataclass
class Output:
    """One command's way to speak.

    Results go to stdout, as text or (``as_json``) one JSON object; progress goes to stderr, as bars where
    that is a terminal, otherwise one JSON line per stage; ``quiet`` leaves the progress out.
    """

    as_json: bool = False
    quiet: bool = False
    _progress: Progress | None = field(default=None, init=False)
    _tasks: dict[str, TaskID] = field(default_factory=dict, init=False)

    def stage(self, name: str, facts: Mapping[str, object]) -> None:
        """Tell that a stage has ended."""
        if self.quiet:
            return
        if sys.stderr.isatty():
            self._finish(name)
            counts = ", ".join(
                f"{k.replace('_', ' ')} {_figure(v)}" for k, v in facts.items() if k not in _ASIDE
            )
            self._console().print(
                f"[green]✓[/green] {name:<12} {counts} [dim]{facts.get('seconds', '')} s[/dim]"
            )
        else:
            self.log({"stage": name, **{key: facts[key] for key in facts if key in LOG_FIELDS}})

    def log(self, facts: Mapping[str, object]) -> None:
        """One JSON line on stderr, where log collectors look."""
        sys.stderr.write(json.dumps(facts, default=str) + "\n")
        sys.stderr.flush()

    def step(self, name: str, done: int, total: int | None) -> None:
        """Move a bar; silent where stderr is not a terminal."""
        if self.quiet or not sys.stderr.isatty():
            return
        if self._progress is None:
            self._progress = _bars()
            self._progress.start()
        if name not in self._tasks:
            self._tasks[name] = self._progress.add_task(name, total=total)
        self._progress.update(self._tasks[name], completed=done, total=total)

    def result(self, data: Mapping[str, Any], text: str | None = None) -> None:
        """Print the result: the JSON object, or the text, else the data as ``name: value`` lines."""
        self.close()
        if self.as_json:
            sys.stdout.write(json.dumps(data, default=str, ensure_ascii=False) + "\n")
        elif text is not None:
            sys.stdout.write(text.rstrip("\n") + "\n")
        else:
            for key, value in data.items():
                sys.stdout.write(f"{key.replace('_', ' ')}: {_figure(value)}\n")

    def say(self, text: str) -> None:
        """A line for people; left out where the result is JSON."""
        if not self.as_json:
            self.close()
            sys.stdout.write(text.rstrip("\n") + "\n")
            sys.stdout.flush()

    def close(self) -> None:
        """Take the bars off the terminal."""
        if self._progress is not None:
            self._progress.stop()
            self._progress = None
            self._tasks.clear()

    def _finish(self, name: str) -> None:
        if self._progress is not None and name in self._tasks:
            self._progress.remove_task(self._tasks.pop(name))
            if not self._tasks:
                self.close()

    def _console(self) -> Console:
        if self._progress is not None:
            return self._progress.console
        from rich.console import Console

        return Console(stderr=True, highlight=False)


_ASIDE = frozenset(("seconds", "cpu_seconds", "peak_mib"))


def _bars() -> Progress:
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
    )

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    return Progress(*columns, console=Console(stderr=True), transient=True)


def _figure(value: object) -> str:
    if isinstance(value, bool) or value is None:
        return {True: "yes", False: "no", None: "unknown"}[value]
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:,.4g}"
    return str(value)
