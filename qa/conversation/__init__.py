"""Follow-ups and corrections."""
