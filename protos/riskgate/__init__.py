"""The wire contracts of riskgate."""
