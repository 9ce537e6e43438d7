"""What stops a move."""


class TransferError(Exception):
    """A line for the user."""
