"""MiniTwit: two Starlette services from one image, PostgreSQL behind them."""

from pathlib import Path

VERSION = (Path(__file__).parent.parent / "VERSION").read_text().strip()
