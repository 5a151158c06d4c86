"""The verbs of accounts, and the domain's public face."""
