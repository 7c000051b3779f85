"""How well every method learns, at its own default learning rate: python -m bench.quality --help."""
