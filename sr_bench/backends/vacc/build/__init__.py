"""Compile a network for the card: an fp32 ONNX file and a plan in, three files out."""
