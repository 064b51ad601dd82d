"""Which conversations there are: admission, and coming back to one in time."""

import asyncio
from dataclasses import dataclass

from harken.serve.access import Refusal
from harken.serve.conversation import Conversation


@dataclass(frozen=True, slots=True)
class Limits:
    """most_sessions: at a time, those whose client may come back among them. grace_s: how long a
    session waits for its client. outbox_bytes: what may wait to be sent to one client; the default
    is some two minutes of voice, or an hour of everything else."""

    most_sessions: int = 4
    grace_s: float = 60.0
    outbox_bytes: int = 8 << 20


class Sessions:
    """For the event loop only."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self._conversations: dict[str, Conversation] = {}
        self._expiring: dict[str, asyncio.TimerHandle] = {}

    def __len__(self) -> int:
        return len(self._conversations)

    def admit(self, conversation: Conversation) -> Conversation:
        """Give a new conversation a place; a session whose client is gone makes room.

        Raises Refusal when all places are taken.
        """
        most = self.limits.most_sessions
        if len(self) >= most and not self._expiring:
            raise Refusal(503, "server_full", f"all {most} sessions are taken; try again later")
        if len(self) >= most:
            self.drop(next(iter(self._expiring)))
        self._conversations[conversation.id] = conversation
        return conversation

    def rejoin(self, session_id: str) -> Conversation:
        """The conversation whose client comes back, perhaps before the old connection was found
        to be dead. Raises Refusal when there is none, or no more."""
        conversation = self._conversations.get(session_id)
        if conversation is None or not conversation.can_resume:
            raise Refusal(404, "session_not_found", f"no session {session_id[:60]!r} waits here")
        if expiry := self._expiring.pop(session_id, None):
            expiry.cancel()
        return conversation

    def leave(self, conversation: Conversation) -> None:
        """The client is gone, perhaps to come back."""
        if not conversation.can_resume:
            self.drop(conversation.id)
            return
        loop = asyncio.get_running_loop()
        self._expiring[conversation.id] = loop.call_later(
            self.limits.grace_s, self.drop, conversation.id
        )

    def drop(self, session_id: str) -> None:
        """Forget a conversation and what waits in it."""
        if expiry := self._expiring.pop(session_id, None):
            expiry.cancel()
        if conversation := self._conversations.pop(session_id, None):
            conversation.close()

    def close(self) -> None:
        """Forget all of them."""
        for session_id in list(self._conversations):
            self.drop(session_id)
