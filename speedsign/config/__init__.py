"""The config file: what it may say (`schema`), and reading it with every error at once (`load`)."""
