"""Digests of role tables of earlier releases whose roles meant the same places as today's."""

FORMER_TABLES: dict[str, tuple[str, ...]] = {
    "bert": ("a6c76b0b935259473eb2f8aba399e89e5bfe53268c3b90fc2b7b2575341845ed",),
    "roberta": ("77cee92f8ab5fd903a9600da8837b1e7843624a97cc0f2779f053557a203bbe8",),
    "distilbert": ("706ad7c762b9b30f51aebb1c858b1ffccc0ba1d029698596a1685759e2b9c08d",),
    "gpt2": ("3cafb1d681a03fb5b804d47945580293cacda1a3376ef94667dd431a800cf4ff",),
    "llama": ("09325431221b6fa223e491c823309bfbbc0403abfe87d211204a0c438ce87fcb",),
}
