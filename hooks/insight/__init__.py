"""The team's dashboard: what was said and what became of it, by week, rule and cause; signs of a malfunction."""
