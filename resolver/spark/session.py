"""The one door to Spark: a session, or a clear word on why there is none."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from resolver.errors import BadInput

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


def java_there() -> bool:
    """Whether a Java runtime is found, as Spark looks for it."""
    home = os.environ.get("JAVA_HOME")
    return (Path(home) / "bin" / "java").is_file() if home else shutil.which("java") is not None


def on_this_machine(master: str | None) -> bool:
    """Whether the executors are this machine's; without a master an installed Spark's settings say where."""
    if master is not None:
        return master.startswith("local")
    return not {"PYSPARK_GATEWAY_PORT", "SPARK_HOME", "SPARK_CONF_DIR"} & os.environ.keys()


def session(master: str | None = None) -> SparkSession:
    """The running session, as in a Glue job, else a new one.

    ``master`` is Spark's own master URL; None: what the environment says, else this machine.

    Raises:
        BadInput: pyspark or Java is missing, or Spark does not start.
    """
    try:
        from pyspark.sql import SparkSession  # noqa: PLC0415 - an extra
    except ImportError:
        raise BadInput("--engine spark: pyspark is not installed: pip install 'resolver[spark]'") from None
    running = SparkSession.getActiveSession()
    if running is not None:
        return running
    if not java_there():
        raise BadInput(
            "--engine spark: no Java runtime: install Java 17, or let JAVA_HOME name the directory of one"
        )
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)  # else workers are whatever python3 comes first
    builder = SparkSession.builder.appName("resolver")
    if master is not None:
        builder = builder.master(master)
    if on_this_machine(master):  # nothing listens beyond loopback
        builder = builder.config("spark.ui.enabled", "false").config("spark.ui.showConsoleProgress", "false")
        os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")
        builder = builder.config("spark.driver.bindAddress", "127.0.0.1")
        builder = builder.config("spark.driver.host", "127.0.0.1")
    try:
        return builder.getOrCreate()
    except Exception as error:  # noqa: BLE001 - the JVM's own, of many kinds; its first line tells
        first = str(error).strip().partition("\n")[0]
        raise BadInput(f"--engine spark: Spark does not start with master {master!r}: {first}") from None
