"""The business rules of MiniTwit; they emit typed events."""
