"""The session: ears and decoder at work on one stream, live or replayed."""
