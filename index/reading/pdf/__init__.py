"""Printed lines to paragraphs, columns, table rows."""
