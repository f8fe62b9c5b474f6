"""The live floor: its page and wall, the alerts, and the streams that keep them up to date."""
