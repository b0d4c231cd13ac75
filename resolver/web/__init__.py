"""Face: request → use case → page. Nothing is decided here."""
