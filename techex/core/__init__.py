"""What every domain needs: database, context, change log, audit, vocabulary. Knows no Flask and no domain."""
