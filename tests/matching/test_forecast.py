from __future__ import annotations

import pytest

from resolver.matching.forecast import _of_the_file
from resolver.matching.parameters import Parameters, RelationParameters


def test_a_sample_expects_matches_and_relations_as_rare_as_the_file_does():
    sample = Parameters(100, 1 / 100, (), (RelationParameters("home", 1e-3, (0,)),))
    whole = _of_the_file(sample, 1000, 0.1)
    assert whole.profiles == 1000
    assert whole.match_rate == pytest.approx(1 / 1000)
    assert whole.relations[0].rate == pytest.approx(1e-4)
