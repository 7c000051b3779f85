"""Measurements: quality (accuracy on real text) and, beside it, whatever else is measured and not tested."""
