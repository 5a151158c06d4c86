"""Candidates become ranked matches with their reasons; the pages of matches."""
