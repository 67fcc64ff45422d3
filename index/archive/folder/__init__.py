"""The store in a folder: SQLite, FAISS, postings."""
