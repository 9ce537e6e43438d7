"""Connection pool, versioned migrations and repositories: all SQL lives here."""
