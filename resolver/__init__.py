"""Identity resolution and safe, provable merges for Amazon Connect Customer Profiles."""

__version__ = "0.1.0"
