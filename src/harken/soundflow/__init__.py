"""The data engine: from recordings, texts and synthetic speech to streams worth training on."""
