"""The reference model: what the core should hold and decide, in plain Python, written to be read.

It keeps lists of everything that happened and forms every sum anew. The rules are those of docs/reference/rules.md.
"""
