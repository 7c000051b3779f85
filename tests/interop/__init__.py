"""What the peer libraries compute on tiny models: the data, how it is made, and how a test reads it."""
