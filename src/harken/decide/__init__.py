"""The listener: what was heard goes in, decisions and responses come out."""
