"""Nouns: frozen, no I/O, no algorithms."""
