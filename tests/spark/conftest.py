"""One Spark session for all tests of one worker."""

from __future__ import annotations

import pytest

from resolver.spark.session import session


@pytest.fixture(scope="session")
def spark():
    one = session("local[2]")
    one.conf.set("spark.sql.shuffle.partitions", "4")
    yield one
    one.stop()
