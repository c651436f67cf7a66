"""The language server: what editors ask about model files while these are being written."""
