"""An embedded Amazon Connect Customer Profiles service."""
