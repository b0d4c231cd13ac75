"""What is shipped for schedulers is checked as far as a machine without them can."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Self

import botocore.session
import pytest
import yaml
from botocore.validate import ParamValidator
from typer.main import get_command

from resolver.cli import app

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
RUN_WEEKLY = DEPLOY / "run-weekly"
CRON = r"(\S+ ){4}\S+"


def check_command(line: str) -> str:
    """See that the command line takes a ``resolver …`` line, every option and value; the command's name."""
    program, command, *arguments = shlex.split(line)
    assert program == "resolver"
    get_command(app).commands[command].make_context(command, arguments)
    return command


def resolver_lines(script: str) -> str:
    """The resolver command of a shell line, its exec taken off and what the shell would fill in filled in."""
    filled = re.sub(r"\$\(date [^)]*\)", "20260105T033000Z", script.strip().removeprefix("exec "))
    return filled.replace("$RESOLVER_DOMAIN", "d")


def test_a_command_that_the_command_line_does_not_take_is_found_here():
    with pytest.raises(Exception, match="No such option"):
        check_command("resolver run --domain d --out x --no-such-option")


def test_run_weekly_calls_run_with_a_directory_of_its_own(tmp_path):
    stub = tmp_path / "resolver"
    stub.write_text('#!/bin/sh\nprintf "%s\\n" "$@"\nexit 3\n')
    stub.chmod(0o755)
    settings = {"RESOLVER_DOMAIN": "d", "RESOLVER_RUNS": "/runs", "RESOLVER_KEYS": "/keys.csv"}
    env = {"PATH": os.environ["PATH"], "RESOLVER_BIN": str(stub), **settings}
    done = subprocess.run([RUN_WEEKLY, "--apply"], env=env, capture_output=True, text=True, check=False)  # noqa: S603 # our own
    assert done.returncode == 3, "the exit code is the run's"
    arguments = done.stdout.splitlines()
    assert check_command(shlex.join(["resolver", *arguments])) == "run"
    assert re.fullmatch(r"/runs/\d{8}T\d{6}Z", arguments[arguments.index("--out") + 1])
    assert arguments[-1] == "--apply"
    for name in settings:
        without = {key: value for key, value in env.items() if key != name}
        failed = subprocess.run([RUN_WEEKLY], env=without, capture_output=True, text=True, check=False)  # noqa: S603 # our own
        assert failed.returncode != 0
        assert name in failed.stderr


def test_the_cron_line_has_a_time_a_user_and_no_per_cent_sign():
    (line,) = [t for t in (DEPLOY / "resolver.cron").read_text().splitlines() if re.match(r"[\d*]", t)]
    assert re.match(CRON + " resolver ", line)
    assert "%" not in line  # cron reads it as a line end
    assert check_command("resolver run --domain d --out x " + line.partition("run-weekly ")[2]) == "run"
    script = line.split(None, 6)[6]
    subprocess.run(["/bin/sh", "-n", "-c", script], check=True)  # noqa: S603 # our own


def test_systemd_takes_the_units(tmp_path):
    unit = (DEPLOY / "resolver.service").read_text()
    (command,) = re.findall(r"^ExecStart=/opt/resolver/deploy/run-weekly (.*)$", unit, re.MULTILINE)
    assert check_command(f"resolver run --domain d --out x {command}") == "run"
    program = shutil.which("systemd-analyze")
    if program is None:
        pytest.skip("systemd-analyze is not installed: the units are read, not verified")
    (tmp_path / "resolver.service").write_text(unit.replace("/opt/resolver/deploy", str(DEPLOY)))
    shutil.copy(DEPLOY / "resolver.timer", tmp_path)
    units = [tmp_path / "resolver.service", tmp_path / "resolver.timer"]
    done = subprocess.run([program, "verify", *units], capture_output=True, text=True, check=False)  # noqa: S603 # our own
    assert (done.returncode, done.stderr) == (0, "")
    (when,) = re.findall(r"^OnCalendar=(.*)$", (DEPLOY / "resolver.timer").read_text(), re.MULTILINE)
    subprocess.run([program, "calendar", when], check=True, capture_output=True)  # noqa: S603 # our own


@pytest.mark.parametrize(
    ("file", "service", "operation"),
    [
        ("ecs-task-definition.json", "ecs", "RegisterTaskDefinition"),
        ("eventbridge-schedule.json", "scheduler", "CreateSchedule"),
        ("glue-job.json", "glue", "CreateJob"),
        ("emr-step.json", "emr", "AddJobFlowSteps"),
    ],
)
def test_aws_would_take_the_requests(file, service, operation):
    request = json.loads((DEPLOY / file).read_text())
    shape = botocore.session.get_session().get_service_model(service).operation_model(operation).input_shape
    assert ParamValidator().validate(request, shape).generate_report() == ""
    wrong = ParamValidator().validate(request | {"NoSuchMember": 1}, shape).generate_report()
    assert "NoSuchMember" in wrong


def test_the_spark_jobs_give_the_script_all_that_it_asks_for():
    source = (DEPLOY / "spark_job.py").read_text()
    wanted = set(re.findall(r'"(--[a-z]+)", required=True', source))
    assert wanted == {"--source", "--out"}
    glue = json.loads((DEPLOY / "glue-job.json").read_text())
    model = botocore.session.get_session().get_service_model("glue")
    assert glue["WorkerType"] in model.shape_for("WorkerType").enum
    assert wanted <= glue["DefaultArguments"].keys()
    assert glue["Command"]["ScriptLocation"].endswith("/spark_job.py")
    (step,) = json.loads((DEPLOY / "emr-step.json").read_text())["Steps"]
    arguments = step["HadoopJarStep"]["Args"]
    script = next(place for place, one in enumerate(arguments) if one.endswith("/spark_job.py"))
    assert arguments[0] == "spark-submit"
    assert wanted <= set(arguments[script + 1 :])
    assert not wanted & set(arguments[:script]), "Spark's own options stand before the script"


def test_the_ecs_task_runs_a_command_of_ours_and_mounts_what_it_has():
    task = json.loads((DEPLOY / "ecs-task-definition.json").read_text())
    (container,) = task["containerDefinitions"]
    assert check_command(resolver_lines(container["command"][0])) == "run"
    assert {m["sourceVolume"] for m in container["mountPoints"]} == {v["name"] for v in task["volumes"]}
    secrets = {secret["name"] for secret in container["secrets"]}
    assert secrets == {"RESOLVER_LEDGER", "RESOLVER_LEDGER_KEY"}
    assert not secrets & {entry["name"] for entry in container["environment"]}, (
        "secrets are no plain settings"
    )


def test_the_kubernetes_cron_job_holds_together():
    (job,) = yaml.safe_load_all((DEPLOY / "kubernetes-cronjob.yaml").read_text())
    assert (job["apiVersion"], job["kind"]) == ("batch/v1", "CronJob")
    spec = job["spec"]
    assert re.fullmatch(CRON, spec["schedule"])
    assert spec["concurrencyPolicy"] == "Forbid"
    assert spec["jobTemplate"]["spec"]["backoffLimit"] == 0
    pod = spec["jobTemplate"]["spec"]["template"]["spec"]
    assert pod["restartPolicy"] == "Never"
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["terminationGracePeriodSeconds"] >= 180, "a merge call waits so long for its answer"
    (container,) = pod["containers"]
    assert check_command(resolver_lines(container["args"][0])) == "run"
    assert {m["name"] for m in container["volumeMounts"]} == {v["name"] for v in pod["volumes"]}


def test_the_airflow_dag_concludes_then_applies_what_passed(monkeypatch):
    tasks: list[tuple[str, str]] = []
    order: list[tuple[str, str]] = []

    class Operator:
        def __init__(self, task_id: str, bash_command: str) -> None:
            self.name = task_id
            tasks.append((task_id, bash_command))

        def __rshift__(self, other: Operator) -> Operator:
            order.append((self.name, other.name))
            return other

    class Dag:
        def __init__(self, **settings: object) -> None:
            assert settings["catchup"] is False
            assert settings["max_active_runs"] == 1

        def __enter__(self) -> Self:
            return self

        def __exit__(self, *_: object) -> None:
            pass

    stubs = {
        "airflow": {},
        "airflow.sdk": {"DAG": Dag},
        "airflow.providers": {},
        "airflow.providers.standard": {},
        "airflow.providers.standard.operators": {},
        "airflow.providers.standard.operators.bash": {"BashOperator": Operator},
    }
    for name, members in stubs.items():
        module = ModuleType(name)
        module.__dict__.update(members)
        monkeypatch.setitem(sys.modules, name, module)
    code = compile((DEPLOY / "airflow_dag.py").read_text(), "airflow_dag.py", "exec")
    exec(code, {"__name__": "dag"})  # noqa: S102 # our own
    assert [check_command(command.replace("{{ ts_nodash }}", "x")) for _, command in tasks] == [
        "run",
        "apply",
    ]
    assert order == [("conclude", "merge")]
    directories = {re.findall(r"/var/lib/resolver/\{\{ ts_nodash \}\}", command)[0] for _, command in tasks}
    assert len(directories) == 1, "apply reads what run wrote"


def test_the_image_is_pinned_runs_as_nobody_special_and_holds_no_secret():
    lines = [
        line for line in (DEPLOY / "Dockerfile").read_text().splitlines() if line and not line.startswith("#")
    ]
    instructions = [line.split(None, 1) for line in lines if not line.startswith(" ")]
    names = [name for name, _ in instructions]
    assert set(names) <= {"FROM", "RUN", "WORKDIR", "COPY", "USER", "VOLUME", "ENTRYPOINT", "CMD"}
    compiling, base = [rest for name, rest in instructions if name == "FROM"]
    assert re.fullmatch(r"python:3\.\d+-slim-\w+", base), "a tag that stays what it is"
    assert compiling == f"{base.replace('-slim', '')} AS build", "the same Python, with a C compiler"
    assert names.index("USER") < names.index("ENTRYPOINT")
    for name, rest in instructions:
        if name == "COPY":
            sources = rest.split()[:-1]
            assert sources[0] == "--from=build" or all((ROOT / source).exists() for source in sources)
    assert json.loads(dict(instructions)["ENTRYPOINT"]) == ["resolver"]
