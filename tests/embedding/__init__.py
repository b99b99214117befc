"""The native module, embedded in a Python program."""
