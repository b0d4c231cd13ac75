"""An Airflow 3 DAG of the weekly job: conclude, audit, and merge only what passed.

Exit code 3 (held by a gate) fails the first task for good: a person releases the run, then clears ``merge``.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk import DAG

RUN_DIRECTORY = "/var/lib/resolver/{{ ts_nodash }}"
DOMAIN = "amazon-connect-example"

with DAG(
    dag_id="resolver_weekly",
    schedule="30 3 * * 1",
    start_date=datetime(2026, 1, 5, tzinfo=UTC),
    catchup=False,  # a week that was missed is part of the next one
    max_active_runs=1,
    default_args={"retries": 0, "execution_timeout": timedelta(hours=6)},
) as dag:
    conclude = BashOperator(
        task_id="conclude",
        bash_command=(
            f"resolver run --domain {DOMAIN} --keys /var/lib/resolver/keys.csv --out {RUN_DIRECTORY} "
            "--metrics emf --json"
        ),
    )
    merge = BashOperator(
        task_id="merge",
        bash_command=f"resolver apply --domain {DOMAIN} --run {RUN_DIRECTORY} --until 05:30 --json",
    )
    conclude >> merge
