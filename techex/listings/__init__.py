"""Needs and offers (research results, technologies) and their life."""
