from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime

import pytest

from resolver.app.reviewing.desk import Desk
from resolver.app.reviewing.judging import Ask, judge
from resolver.app.reviewing.reading import read_batch
from resolver.app.reviewing.releasing import releasable
from resolver.app.running import RunOptions, run_job
from resolver.errors import BadFile
from resolver.ledger.ledger import open_ledger
from resolver.ledger.reviews import open_review_book
from resolver.local.loading import load_objects, load_profiles
from resolver.local.sample.generator import OBJECT_TYPES, make_sample
from resolver.local.server import running
from resolver.local.service import Service
from resolver.local.store import Store
from resolver.profiles.domain import ConnectionSettings, Domain, connect
from resolver.profiles.reading import read_profiles
from resolver.rule_file import load_rules

NAME = "review-demo"
MORNING = datetime(2026, 11, 23, 8, tzinfo=UTC)


class Quiet:
    """Listens and says nothing."""

    def __getattr__(self, name):
        return lambda *_: None


@pytest.fixture
def domain():
    sample = make_sample(400)
    with closing(Store.open(None)) as store, running(Service(store)) as url:
        clients = connect(ConnectionSettings(endpoint_url=url, calls_per_second=None, merges_per_second=None))
        clients.read.create_domain(DomainName=NAME, DefaultExpirationDays=366, Matching={"Enabled": True})
        for name, definition in OBJECT_TYPES.items():
            clients.read.put_profile_object_type(DomainName=NAME, ObjectTypeName=name, **definition)
        load_profiles(store, NAME, sample.profiles)
        load_objects(store, NAME, sample.objects)
        keys = [f'{name},"{value}"' for name, value in sample.keys]
        yield Domain(NAME, clients), "\n".join(["key_name,value", *keys])


def test_a_verdict_on_a_run_is_honoured_by_the_next_run(domain, tmp_path):
    where, keys = domain
    (tmp_path / "keys.csv").write_text(keys)
    path = str(tmp_path / "ledger.db")

    def run(name):
        options = RunOptions(name, MORNING, "ana", tmp_path / name, tmp_path / "keys.csv")
        with open_ledger(path) as ledger:
            run_job(where, options, ledger, Quiet())
        return read_batch(tmp_path / name, load_rules())

    first = run("run-1")
    with open_review_book(path) as book:
        desk = Desk(first, book, reader=lambda ids: read_profiles(where, ids), second_share=0.0)
        pairs = [i for i in desk.order if len(first.cases[i].profile_ids) == 2]
        apart, joined = pairs[0], next(i for i in reversed(pairs) if desk.patterns[i].lane != "hard")
        for cluster_id, verdict in ((apart, "not_same"), (joined, "merge")):
            ask = Ask(cluster_id, verdict, 0, first.cases[cluster_id].version, "ana", confirmed=True)
            assert judge(desk, ask).kind == "saved"
        assert [p.cluster_id for p in releasable(desk)] == [joined]
        assert releasable(desk)[0].plan_id == first.cases[joined].plan.plan_id
    second = run("run-2")
    left, right = first.cases[apart].profile_ids
    assert second.case_of(left) is None or right not in second.case_of(left).profile_ids
    assert set(second.case_of(first.cases[joined].profile_ids[0]).profile_ids) >= set(
        first.cases[joined].profile_ids
    )


def test_a_directory_without_a_run_is_named(tmp_path):
    with pytest.raises(BadFile, match=r"report\.json: no file of a run there"):
        read_batch(tmp_path, load_rules())
