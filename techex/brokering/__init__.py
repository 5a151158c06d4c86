"""From a match to a signed deal: expressions of interest, introductions, deals."""
