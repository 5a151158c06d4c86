"""Who offers, seeks and brokers."""
