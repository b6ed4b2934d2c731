"""Programs that `export` puts beside a model: each is one file, and imports nothing of this project."""
