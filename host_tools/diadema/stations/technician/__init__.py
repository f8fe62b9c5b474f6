"""What a technician's commands at one station share: how they speak, and the signed record that
each of them ends in.
"""
