from __future__ import annotations

from resolver.app.progress import Silence, Stopwatch


class Recorder(Silence):
    """Keeps what it is told."""

    def __init__(self):
        self.told = []

    def stage(self, name, facts):
        self.told.append((name, dict(facts)))

    def step(self, name, done, total):
        self.told.append((name, done, total))


def test_each_stage_is_timed_from_the_one_before():
    times = iter([10.0, 12.5, 13.0])
    recorder = Recorder()
    watch = Stopwatch(recorder, lambda: next(times))
    watch.stage("block", {"pairs": 7})
    watch.step("apply", 1, 2)
    watch.stage("score", {})
    assert [told[1]["seconds"] for told in recorder.told if isinstance(told[1], dict)] == [2.5, 0.5]
    assert ("apply", 1, 2) in recorder.told
    assert watch.stages[0]["stage"] == "block"
    assert watch.stages[0]["pairs"] == 7
    assert watch.stages[0]["peak_mib"] > 0
