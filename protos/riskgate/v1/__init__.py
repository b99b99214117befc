"""Version 1 of the wire contracts: generated code, see the .proto files beside it."""
