"""All that can be said about an adapter without a tensor: configs, strings, composition, manifest, ids.

Never imports torch.
"""
