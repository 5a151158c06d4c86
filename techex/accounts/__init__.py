"""People who sign in: their accounts, sessions, second factors, and the way back when something was forgotten."""
