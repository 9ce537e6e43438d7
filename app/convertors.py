"""A user name as a part of an address: any text, slashes and line breaks too."""

from __future__ import annotations

from starlette.convertors import StringConvertor, register_url_convertor


class _Text(StringConvertor):
    regex = "(?s:.*)"  # Starlette's "path" stops at a line break


register_url_convertor("text", _Text())
USERNAME = "{username:text}"
