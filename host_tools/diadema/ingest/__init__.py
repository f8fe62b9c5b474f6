"""The ingest: events in, rows out, each exactly once. It knows no network:
`hub.ingest` feeds it.
"""
