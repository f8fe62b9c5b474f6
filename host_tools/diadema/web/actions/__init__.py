"""What supervisors do: the API, the register of it, and the hand-over of a shift."""
