"""Tests of one adapter made of several."""
