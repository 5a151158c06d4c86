"""Provinces, regions and countries as dated data: names and borders change, codes stay."""
