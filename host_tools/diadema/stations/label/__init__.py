"""The label on a station's back: where it stands, its id as a code to scan, its MAC address."""
