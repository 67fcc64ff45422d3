"""What is asked: answer type, spelling, dates, the article itself."""
