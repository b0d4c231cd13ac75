"""`resolver match`, `evaluate`, `explain`, `rules`: the engine on files, without a domain."""

from __future__ import annotations

from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from resolver.cli.ahead import Ahead
from resolver.cli.leaving import leave_at_once
from resolver.cli.memory import share_arenas, uncollected
from resolver.cli.options import Json, Quiet, Rules
from resolver.cli.output import Output
from resolver.errors import BadInput

if TYPE_CHECKING:
    import polars as pl

    from resolver.matching.fingerprints import Fingerprints


class Engine(StrEnum):
    """Where the heavy stages of matching are done."""

    POLARS = "polars"
    SPARK = "spark"


rules_app = typer.Typer(help="Rule sets: check one, print the schema of all.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    app.command()(match)
    app.command()(estimate)
    app.command()(explain)
    app.command()(evaluate)
    app.add_typer(rules_app, name="rules")


def match(
    file: Annotated[
        str,
        typer.Argument(
            help="Parquet, CSV or JSONL with a profile_id column. With --engine spark also an address that "
            "Spark reads, such as s3a://bucket/profiles: a file, or a directory of Parquet."
        ),
    ],
    *,
    out: Annotated[
        str,
        typer.Option("--out", "-o", help="Directory for the results; with --engine spark also an address."),
    ],
    rules: Rules = None,
    incremental: Annotated[
        Path | None,
        typer.Option(
            "--incremental",
            help="Directory of an earlier run that kept its state: only what changed since, and its "
            "neighbours, are looked at, by that run's model. In full, and saying so, where that cannot be.",
        ),
    ] = None,
    model: Annotated[
        Path | None,
        typer.Option(
            "--model", help="Or the whole file, by the model of an earlier run that kept its state."
        ),
    ] = None,
    keep_state: Annotated[
        bool, typer.Option("--keep-state", help="Leave a state for --incremental and --model.")
    ] = False,
    plans: Annotated[
        bool,
        typer.Option(
            "--plans",
            help="Also write what merges would do (plan_preview.parquet, field_choices.parquet). Nothing can "
            "carry these out: that takes a domain and `resolver run`.",
        ),
    ] = False,
    engine: Annotated[
        Engine,
        typer.Option(
            "--engine",
            help="Where the heavy stages are done; the answer is the same. spark: extra spark.",
        ),
    ] = Engine.POLARS,
    master: Annotated[
        str | None,
        typer.Option("--master", help="With --engine spark: Spark's master URL, such as local[2]."),
    ] = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Resolve a file of profiles: who is who, and how sure that is.

    Writes clusters.parquet (profile_id, cluster_id: every profile once), pairs.parquet (profile_id_left,
    profile_id_right, match_weight, match_probability, band and every comparison's level and weight),
    parameters.json (what was learned) and match.json (figures and stage times). With --engine spark also
    stages/, from which a run that was cut short goes on.
    """
    if master is not None and engine != Engine.SPARK:
        raise BadInput("--master is for --engine spark")
    if engine == Engine.SPARK and (incremental is not None or model is not None):
        raise BadInput("--engine spark looks at the whole file: without --incremental and --model")
    if incremental is not None and model is not None:
        raise BadInput("give either --incremental DIR or --model DIR")
    addresses = "://" in file or "://" in out
    if addresses and (engine != Engine.SPARK or keep_state):
        raise BadInput("addresses (://) are for --engine spark, without --keep-state")
    share_arenas()  # before the threads that allocate are there
    with uncollected():
        from resolver.table_file import read_table

    # the file is read while modules are loaded, of which reading it needs few
    table = None if addresses else Ahead(lambda: read_table(Path(file)))
    with uncollected():
        from resolver.profile_file import profiles_of

    prints: list[Fingerprints] = []

    def read() -> pl.DataFrame:
        assert table is not None  # noqa: S101 - Spark reads what is at addresses
        profiles = profiles_of(table.take(), Path(file))
        if incremental is not None:
            from resolver.matching.fingerprints import Fingerprints

            prints.append(Fingerprints.of(profiles))
        return profiles

    profiles = None if addresses else Ahead(read)
    with uncollected():
        from resolver.app.continuing import Continuation
        from resolver.app.matching import MatchOptions, match_profiles
        from resolver.app.progress import Stopwatch
        from resolver.report.match_report import render_match
        from resolver.report.text import line

    output = Output(as_json, quiet)
    going_on = Continuation(incremental, model, keep_state or incremental is not None)
    if incremental is not None:
        going_on = replace(going_on, fingerprints=prints.pop)
    cluster = (master or "") if engine == Engine.SPARK else None
    options = MatchOptions(Path() if addresses else Path(out), rules, going_on, cluster, plans=plans)
    if profiles is None:
        from resolver.app.cluster_matching import Places, match_places

        told = match_places(Places(file, out), options, output)
        page = str(out)
    else:
        told = match_profiles(profiles.take, options, Stopwatch(output))
        page = f"{out}; a page of them: resolver report {out}"
    output.result(told, f"{render_match(told)}\n{line('Results', page)}")
    if engine != Engine.SPARK:  # which has a session to end
        leave_at_once()


def estimate(
    file: Annotated[Path, typer.Argument(help="The profiles: Parquet, CSV or JSONL, as for `match`.")],
    *,
    rules: Rules = None,
    sample: Annotated[
        int, typer.Option("--sample", help="Profiles to look at, drawn at random (seeded).")
    ] = 100_000,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """What `match` and `run` will take on these profiles: pairs, seconds, memory, calls, from a sample.

    Exit code 2, with the blocking rules to fix, where one would bring more pairs than the rule set allows.
    """
    share_arenas()
    from resolver.app.estimating import estimate_file
    from resolver.app.progress import Stopwatch

    output = Output(as_json, quiet)
    told = estimate_file(file, rules, sample, Stopwatch(output))
    output.result(told, None if as_json else estimate_text(told))
    if told["rules_to_fix"]:
        raise BadInput(
            f"blocking rules that would stop the run: {', '.join(told['rules_to_fix'])}; name them in "
            "blocking.forbidden, or lower blocking.largest_block"
        )


def estimate_text(told: dict[str, Any]) -> str:
    """The estimate in a few lines."""
    calls = ", ".join(f"{name} {count:,}" for name, count in told["calls_at_most"].items())
    worst = ", ".join(f"{key['key']} {key['pairs']:,}" for key in told["blocking"][:3])
    return "\n".join(
        [
            f"profiles          {told['profiles']:,} ({told['sampled']:,} looked at)",
            f"candidate pairs   {told['candidate_pairs']:,} ({told['pairs_per_profile']} a profile)",
            f"  most by         {worst or 'all pairs are compared'}",
            f"seconds           {told['seconds']}",
            f"memory            {told['peak_mib']:,} MiB",
            f"calls, at most    {calls}",
        ]
    )


def explain(
    left: Annotated[str, typer.Argument(help="A profile id.")],
    right: Annotated[str, typer.Argument(help="Another one.")],
    *,
    file: Annotated[
        Path | None, typer.Option("--file", help="The profiles: Parquet, CSV or JSONL, as for `match`.")
    ] = None,
    run_directory: Annotated[Path | None, typer.Option("--run", help="Or the directory of a run.")] = None,
    rules: Rules = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Why two profiles matched, or why not: prior, every comparison's weight, relations, total."""
    from resolver.app.explaining import explain_in_file
    from resolver.app.progress import Stopwatch

    if (file is None) == (run_directory is None):
        raise BadInput("give either --file FILE or --run DIR")
    source = file if file is not None else Path(run_directory or "") / "profiles.parquet"
    output = Output(as_json, quiet)
    data, text = explain_in_file(source, (left, right), rules, Stopwatch(output))
    output.result(data, text)


def evaluate(
    clusters: Annotated[Path, typer.Argument(help="Parquet or CSV with profile_id and cluster_id.")],
    truth: Annotated[Path, typer.Argument(help="Parquet or CSV with profile_id and entity_id.")],
    *,
    as_json: Json = False,
) -> None:
    """Score clusters against the truth: pairwise, B-cubed, exact rate, and the errors by profile id."""
    from resolver.app.evaluating import evaluate_files

    scores = evaluate_files(clusters, truth)
    figures = {k: v for k, v in scores.items() if not isinstance(v, list)}
    Output(as_json).result(scores if as_json else figures)


@rules_app.command("check")
def check(
    file: Annotated[Path | None, typer.Argument(help="Rule set (TOML) [default: the shipped one].")] = None,
    *,
    as_json: Json = False,
) -> None:
    """Read a rule set as every command does; all that is wrong with it is said at once."""
    from resolver.rule_file import load_rules

    rules = load_rules(file)
    facts = {
        "rule_set": rules.name,
        "fingerprint": rules.fingerprint,
        "comparisons": [c.name for c in rules.comparisons],
        "relations": [r.name for r in rules.relations if r.enabled],
    }
    words = f"{rules.name} ({rules.fingerprint}): sound; {len(rules.comparisons)} comparisons"
    Output(as_json).result(facts, words)


@rules_app.command("schema")
def schema(*, as_json: Json = False) -> None:  # noqa: ARG001 - every command takes --json; this one speaks nothing else
    """Print the JSON Schema of rule sets, for editors that complete and check TOML."""
    from resolver.rule_file import schema as schema_of

    Output(as_json=True).result(schema_of())
