"""New programs for stations: signed bundles, their way there, and roll-outs in stages."""
