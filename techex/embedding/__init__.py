"""Text to vectors: model cards, preparing weights, encoders, passages, languages, stored vectors."""
