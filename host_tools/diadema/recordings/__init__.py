"""Recordings that the switch made: found, linked to contacts, decoded apart, and let go when due.
Names and paths of files, which hold numbers of people, stay in an index of their own.
"""
