"""The people and places of a centre beyond what stations must know: who works for whom, on which
team, when, and what is expected. Kept apart from the events, with every version of every entry.
"""
