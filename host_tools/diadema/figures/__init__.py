"""What a span of time comes to, for an agent, a team, a queue or the floor: sums that the metrics
turn into figures. Screen, files and API all read here, so that they say the same.
"""
