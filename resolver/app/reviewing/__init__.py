"""The review as use cases: what an analyst is shown, may say, and takes back.

Nothing here merges anything.
"""
