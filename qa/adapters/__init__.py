"""Article-qa as a part of other frameworks, one module each: ``langchain``, ``haystack``."""
