"""Params and multiply-accumulates, counted without weights, images or real compute."""
