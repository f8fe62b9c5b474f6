"""A telephone exchange that is played: callers, queues and telephones behind AMI and ARI, as a
recorded Asterisk 22 has them.
"""
