"""Edge: the run report."""
