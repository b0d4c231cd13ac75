"""A sample domain: invented customers of a contact centre, with the truth about who is who."""
