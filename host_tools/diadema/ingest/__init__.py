"""The ingest: takes events from the broker's stream, keeps each exactly once, then acknowledges.

Its own process (`python -m diadema.ingest`), the only writer of the store.
"""
