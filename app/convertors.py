"""Path convertor for user names: any text, including slashes and line breaks."""

from __future__ import annotations

from starlette.convertors import Convertor, register_url_convertor


class _Text(Convertor[str]):
    regex = "(?s:.*)"  # Starlette's "path" stops at a line break

    def convert(self, value: str) -> str:
        """Parse a path segment."""
        return value

    def to_string(self, value: str) -> str:
        """Format a path segment."""
        return value


register_url_convertor("text", _Text())
USERNAME = "{username:text}"
