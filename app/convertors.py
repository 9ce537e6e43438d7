"""A user name as a part of an address: any text, slashes and line breaks too."""

from __future__ import annotations

from starlette.convertors import Convertor, register_url_convertor


class _Text(Convertor[str]):
    regex = "(?s:.*)"  # Starlette's "path" stops at a line break

    def convert(self, value: str) -> str:
        """From the address."""
        return value

    def to_string(self, value: str) -> str:
        """Into an address."""
        return value


register_url_convertor("text", _Text())
USERNAME = "{username:text}"
