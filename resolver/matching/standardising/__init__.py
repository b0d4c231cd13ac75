"""One module per kind of value: how its texts are cleaned, and nothing about pairs."""
