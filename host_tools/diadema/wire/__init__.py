"""What goes over the wire: events, commands, frames, the journal's layout, live rows."""
