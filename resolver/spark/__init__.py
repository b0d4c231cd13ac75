"""The heavy stages of matching on a Spark cluster, by the functions that do them here.

The entry for jobs is ``resolver.app.cluster_matching.match_places``: it composes this with the rest.
"""
