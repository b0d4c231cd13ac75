"""Edge: a Customer Profiles domain through boto3."""
