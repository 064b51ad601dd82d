"""The stream contract: how a continuous session becomes one token sequence.

The same functions write training data and the log of a live session; nothing outside this
package builds control ids.
"""

from harken.stream.policy import POLICIES, Prefix
from harken.stream.profile import CHUNK_SAMPLES, SAMPLE_RATE, Profile, profile_named
from harken.stream.timeline import Heard, Said, Timeline, chunk_of_end
from harken.stream.vocabulary import Vocabulary
from harken.stream.writer import Owner, Stream, write

__all__ = [
    "CHUNK_SAMPLES",
    "POLICIES",
    "SAMPLE_RATE",
    "Heard",
    "Owner",
    "Prefix",
    "Profile",
    "Said",
    "Stream",
    "Timeline",
    "Vocabulary",
    "chunk_of_end",
    "profile_named",
    "write",
]
