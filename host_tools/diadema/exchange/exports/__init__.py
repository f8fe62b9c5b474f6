"""What the store has, written as other systems read it."""
