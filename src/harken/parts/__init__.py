"""Pretrained parts: what they are, where their bytes come from, and where they lie.

``catalogue`` names the parts, the module ``fetch`` puts them into the user's cache and checks them.
"""

from harken.parts.cache import cache_dir
from harken.parts.catalogue import Part, PartFile, find_part
from harken.parts.fetch import Progress, ensure, remove, verify

__all__ = [
    "Part",
    "PartFile",
    "Progress",
    "cache_dir",
    "ensure",
    "find_part",
    "remove",
    "verify",
]
