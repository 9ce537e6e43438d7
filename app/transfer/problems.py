"""The error that ends a migration."""


class TransferError(Exception):
    """An error with a one-line message for the user."""
