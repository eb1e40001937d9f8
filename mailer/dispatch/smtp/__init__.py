"""The wire: one session with a relay, from the connection to the reply to each message."""
