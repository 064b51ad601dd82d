"""The tiny decoder and data of the training tests, for commands that train."""

from tests.train.conftest import tiny_parts, write_streams

__all__ = ["tiny_parts", "write_streams"]
