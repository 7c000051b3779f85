"""From AdapterHub's files: an adapter, a fusion or a composition of theirs as one of ours.

A file is read whole or not at all: every one of its tensors finds a place, or is set aside with a reason.
"""
