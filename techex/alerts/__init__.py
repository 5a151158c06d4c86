"""Alerts: saved searches, and the letters that tell of what is new for them."""
