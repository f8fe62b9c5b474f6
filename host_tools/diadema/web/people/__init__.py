"""People and places: their page and API."""
