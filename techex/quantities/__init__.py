"""Quantities in texts: read in nine languages, in common units, compared with what is asked. Pure."""
