"""Models and cases of the peer `adapters`; runs inside that peer's own environment."""
