"""The SQL of the embedded service, one module per resource: facts in, facts out, no HTTP."""
