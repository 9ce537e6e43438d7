"""The pool, the versioned migrations, and the repositories: all SQL lives here."""
