"""Connected components where the pairs do not fit one machine: large-star and small-star, in turn.

R. Kiveris et al., "Connected components in MapReduce and beyond" (SoCC 2014). Either step replaces edges by
others that connect the same nodes; where neither changes anything, every node hangs on the smallest of its
component.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from resolver.errors import ResolverError

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

    from resolver.spark.store import Store

#: Rounds that no graph needs: each shortens the longest way to the smallest node.
_MOST_ROUNDS = 200
_NAME = "stars-{}.parquet"


def smallest_members(edges: DataFrame, store: Store) -> DataFrame:
    """``node`` and ``first``, the smallest node of its component, of each that is not its own.

    ``edges`` has ``one`` and ``other``, in any order, some of them twice. Every round is a file of ``store``.

    Raises:
        ResolverError: the rounds do not come to an end, which no graph does.
    """
    from pyspark.sql import functions as f  # noqa: PLC0415 - an extra

    spark = edges.sparkSession
    falling = edges.select(f.greatest("one", "other").alias("node"), f.least("one", "other").alias("first"))
    now = falling.where("node != first").distinct()
    before = None
    for number in range(_MOST_ROUNDS):
        place = _NAME.format(number)
        small_star(large_star(now)).write.mode("overwrite").parquet(store.under(place))
        now = spark.read.parquet(store.under(place))
        told = now.agg(f.count("*"), f.sum(f.hash("node", "first").cast("long"))).first()
        if told == before:
            store.remove(_NAME.format(number - 1))
            return now
        if number:
            store.remove(_NAME.format(number - 1))
        before = told
    raise ResolverError(f"components: {_MOST_ROUNDS} rounds of large-star and small-star, and no end")


def large_star(edges: DataFrame) -> DataFrame:
    """Every larger neighbour of a node hangs on the smallest of its neighbours and itself."""
    from pyspark.sql import functions as f  # noqa: PLC0415 - an extra

    turned = edges.select(f.col("first").alias("node"), f.col("node").alias("first"))
    both = edges.union(turned)
    smallest = both.groupBy("node").agg(f.min("first").alias("least"))
    smallest = smallest.select("node", f.least("node", "least").alias("least"))
    hung = both.where("first > node").join(smallest, "node")
    return hung.select(f.col("first").alias("node"), f.col("least").alias("first")).distinct()


def small_star(edges: DataFrame) -> DataFrame:
    """A node and its smaller neighbours hang on the smallest of these. In ``edges`` ``first`` is smaller."""
    from pyspark.sql import functions as f  # noqa: PLC0415 - an extra

    smallest = edges.groupBy("node").agg(f.min("first").alias("least"))
    hung = edges.join(smallest, "node").where("first != least")
    moved = hung.select(f.col("first").alias("node"), f.col("least").alias("first"))
    return moved.union(smallest.select("node", f.col("least").alias("first"))).distinct()
