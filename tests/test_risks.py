"""docs/RISKS.md: each risk is tied to tests that exist."""
