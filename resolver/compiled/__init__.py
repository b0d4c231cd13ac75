"""Loops that NumPy walks many times, in C: the same answers to the last bit, where a compiler was at hand."""
