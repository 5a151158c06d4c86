"""The letters that accounts write."""
