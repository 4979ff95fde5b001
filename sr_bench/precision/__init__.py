"""What makes a reduced-precision artefact of an ONNX file."""
