"""Verbs: what to do about it. Clusters to plans, as pure as matching."""
