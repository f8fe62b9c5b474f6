"""The monitor's desk: what is to be evaluated, one call heard and answered blind, and the pairs in
which two monitors differ.
"""
