"""How a role table is proposed for a model that has none; see `adapter_lib.families.infer`."""
