"""The chat: channels, who is in them, and what they say about orders, tickets and code."""
