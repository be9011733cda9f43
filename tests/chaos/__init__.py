"""Faults, one after the other, while prescribers work; what they saw, and what was lost."""
