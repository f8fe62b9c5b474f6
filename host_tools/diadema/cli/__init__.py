"""The command line, one file a verb: a thin skin over what programs can call too."""
