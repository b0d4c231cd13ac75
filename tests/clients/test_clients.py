"""Clients that nobody here wrote play one story through all thirty operations."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from botocore import xform_name
from scenario import STEPS, checked, filled

from resolver.local.server import running
from resolver.local.service import Service
from resolver.local.store import Store

HERE = Path(__file__).parent
INSTALLED = HERE.parents[1] / ".venv" / "clients" / "bin"  # by `make clients`
SEED = 30
PACKAGE = "@aws-sdk/client-customer-profiles"
OLDEST_NODE = 20  # what the SDK asks for


@pytest.fixture
def endpoint_url():
    store = Store.open(None)
    with running(Service(store)) as url:
        yield url
    store.close()


def test_the_story_has_all_thirty_operations():
    assert len({operation for operation, *_ in STEPS}) == SEED


@pytest.mark.timeout(900)  # thirty processes, each of which starts in a second where nothing else runs
def test_the_aws_command_line_plays_the_story(endpoint_url):
    aws = shutil.which("aws", path=INSTALLED) or shutil.which("aws")
    if aws is None:
        pytest.skip("the AWS command line (aws) is not installed: `make clients`")
    captured: dict[str, str] = {}
    for step in STEPS:
        command = [aws, "customer-profiles", xform_name(step[0], "-"), "--endpoint-url", endpoint_url]
        command += ["--cli-input-json", json.dumps(filled(step[1], captured)), "--output", "json"]
        done = subprocess.run(command, capture_output=True, text=True, check=False, env=dict(os.environ))  # noqa: S603 - the command is ours
        assert done.returncode == 0, (step[0], done.stderr)
        checked(step, json.loads(done.stdout or "{}"), captured)


def test_the_javascript_sdk_plays_the_story(endpoint_url):
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        pytest.skip("node and npm are not installed")
    version = subprocess.run([node, "--version"], capture_output=True, text=True, check=True).stdout.strip()  # noqa: S603 - the command is ours
    if int(version.lstrip("v").partition(".")[0]) < OLDEST_NODE:
        pytest.skip(f"node {version} is older than {OLDEST_NODE}, which {PACKAGE} needs")
    if not (HERE / "node_modules" / PACKAGE).is_dir():  # it stays there for the next run; git ignores it
        install = [npm, "install", "--no-package-lock", "--no-audit", "--no-fund", "--prefix", str(HERE)]
        installed = subprocess.run(install, capture_output=True, text=True, check=False, timeout=240)  # noqa: S603 - the command is ours
        if installed.returncode:
            pytest.skip(f"npm cannot install {PACKAGE} here: `make clients` says why")
    played = subprocess.run(  # noqa: S603 - our own script
        [node, str(HERE / "play.mjs"), endpoint_url],
        input=json.dumps(STEPS),
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert played.returncode == 0, played.stderr
    answers = [json.loads(line) for line in played.stdout.splitlines()]
    captured: dict[str, str] = {}
    for step, line in zip(STEPS, answers, strict=True):
        checked(step, line["answer"], captured)
