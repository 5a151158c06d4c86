"""Vectors and words to candidates: dense and lexical indexes, kept in step with the database by its change log."""
