"""Quality of calls: what an evaluation scores, what a sample tells of all, who agrees."""
