"""What belongs to no domain: health, migration."""
