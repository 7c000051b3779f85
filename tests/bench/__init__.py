"""Tests of the measurements, on tiny models and texts."""
