"""Edge: our own memory."""
