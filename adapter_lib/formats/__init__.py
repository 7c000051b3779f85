"""How adapters are stored. Import from the modules: `expected` needs no torch, `native` does."""
