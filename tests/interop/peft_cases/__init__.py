"""Models and cases of the peer `peft`; runs inside that peer's own environment."""
