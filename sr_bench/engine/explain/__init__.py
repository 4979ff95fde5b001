"""Explain a printed number or a loss: images or a job in, ways of scoring or layers out."""
