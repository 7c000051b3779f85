"""One contract over every method, every family and every block; `test_contract.py` runs it."""
