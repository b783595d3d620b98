"""Drafts a low-code connector from an OpenAPI 3 document, and serves a stand-in for the API it describes."""
