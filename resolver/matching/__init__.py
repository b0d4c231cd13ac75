"""Verbs: who is who. Frame to frame, no I/O, no clock, no unseeded randomness."""
