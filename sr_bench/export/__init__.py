"""Export: a torch module in, an ONNX file for images of any size out."""
