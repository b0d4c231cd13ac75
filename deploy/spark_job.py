"""`resolver match` as a Glue job or an EMR step: on the Spark session of the cluster that runs this script.

--source and --out are addresses that Spark reads and writes, such as s3://bucket/profiles/ and
s3://bucket/matched; --rules is a file that the driver finds (Glue: --extra-files). The rest is the service's
own (--JOB_NAME and the like) and is passed over. A run that was cut short goes on from --out's stages/.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from resolver.app.cluster_matching import Places, match_places
from resolver.app.matching import MatchOptions
from resolver.cli.output import Output


def main(arguments: list[str]) -> None:
    """Match, and print the report without its stages' counts of blocking rules."""
    parser = argparse.ArgumentParser(allow_abbrev=False)
    parser.add_argument("--source", required=True)
    parser.add_argument("--out", required=True)
    parser.add_argument("--rules", type=Path)
    given, _ = parser.parse_known_args(arguments)
    options = MatchOptions(Path(), given.rules, cluster="")
    report = match_places(Places(given.source, given.out), options, Output(as_json=True, quiet=False))
    print(json.dumps({name: report[name] for name in ("profiles", "pairs", "clusters", "stages")}))  # noqa: T201 - the job's log


if __name__ == "__main__":
    main(sys.argv[1:])
