"""What opens a session: the policy of speaking unasked, and the instructions given in text."""

from dataclasses import dataclass

from harken.errors import HarkenError

POLICIES = {
    "quiet": "Speak up only when life or property is in danger.",
    "care": "Speak up for danger, distress, illness or someone at the door.",
    "narrate": "Name every sound you hear.",
    "bench": "Speak up when a sound calls for help, comfort or action.",
}
"""The sentence of each policy. Checkpoints are trained on these very words."""

DEFAULT_POLICY = "care"


@dataclass(frozen=True, slots=True)
class Prefix:
    """The forced opening of a session.

    `policy` is a name in `POLICIES`; `instruction` is free text of the user or developer,
    empty for none.
    """

    policy: str = DEFAULT_POLICY
    instruction: str = ""

    def __post_init__(self) -> None:
        if self.policy not in POLICIES:
            raise HarkenError(f"no policy {self.policy!r}; choose one of {', '.join(POLICIES)}")
        if "\n" in self.instruction:
            # One line each keeps the prefix readable back into its fields.
            object.__setattr__(self, "instruction", " ".join(self.instruction.split()))

    def text(self) -> str:
        """The prefix as one text: the policy's sentence, then the instruction on its own line."""
        lines = [POLICIES[self.policy]]
        if self.instruction:
            lines.append(self.instruction)
        return "\n".join(lines)

    @classmethod
    def from_text(cls, text: str) -> "Prefix":
        """The inverse of `text`."""
        sentence, _, instruction = text.partition("\n")
        for name, known in POLICIES.items():
            if known == sentence:
                return cls(name, instruction)
        raise HarkenError(f"a prefix opens with an unknown policy: {sentence[:60]!r}")
