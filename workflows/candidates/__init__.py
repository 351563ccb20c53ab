"""Where candidates come from: files, tables, databases, substitutions."""
