"""Use cases: the only room that knows the engine and the edges."""
