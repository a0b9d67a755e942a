import os

# Nothing is looked up or sent; it is read when transformers is imported.
os.environ["HF_HUB_OFFLINE"] = "1"
