"""`python -m resolver` is the command line."""

from resolver.cli import main

main()
