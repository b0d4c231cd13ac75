"""The heavy stages of matching on a Spark cluster, by the functions that do them here."""
