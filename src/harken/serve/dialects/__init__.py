"""The protocols spoken over a websocket: events of the wire to commands, outcomes to events."""
