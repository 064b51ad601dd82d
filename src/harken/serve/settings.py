"""What a client may choose for its session."""

from dataclasses import dataclass

from harken.decide.checkpoint import Checkpoint
from harken.decide.model import operating_point
from harken.live.backlog import BacklogRule, per_chunk
from harken.live.conduct import Conduct
from harken.serve.rules import never
from harken.stream import Prefix
from harken.stream.policy import DEFAULT_POLICY

NO_VOICE = "none"


@dataclass(frozen=True, slots=True)
class Order:
    """A standing order in text."""

    id: str
    text: str


@dataclass(frozen=True, slots=True)
class Settings:
    """policy: when to speak unasked. instruction: free text of the developer. tools: the sentences
    that offer them, or empty. orders: standing orders, oldest first. threshold: instead of the
    checkpoint's for the policy. voice: its name, `none` for text alone. speaks_unasked: False
    replies when asked for a response only.
    """

    policy: str = DEFAULT_POLICY
    instruction: str = ""
    tools: str = ""
    orders: tuple[Order, ...] = ()
    threshold: float | None = None
    voice: str = NO_VOICE
    speaks_unasked: bool = True

    def conduct(self, checkpoint: Checkpoint) -> Conduct:
        """How a session with these settings behaves; a wrong one is a HarkenError."""
        texts = (self.tools, self.instruction, *(order.text for order in self.orders))
        rule: BacklogRule = per_chunk if self.speaks_unasked else never
        return Conduct(
            Prefix(self.policy, " ".join(text for text in texts if text)),
            operating_point(checkpoint, self.policy, self.threshold),
            rule,
        )
