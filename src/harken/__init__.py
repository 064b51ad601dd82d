"""Harken listens to a continuous stream and decides every 0.4 s whether to reply.

Importing this package loads nothing heavy: each module that needs a large library loads it itself.
"""

__version__ = "0.1.0"
