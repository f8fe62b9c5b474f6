"""What goes over a wire: events, commands, frames, the journal's layout, live rows."""
