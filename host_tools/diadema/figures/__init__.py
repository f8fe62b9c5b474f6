"""Roll-ups: the sums of a span for an agent, a team, a queue or the floor.

The metrics turn them into figures. Screen, files and API all read here, so that they say the same.
"""
