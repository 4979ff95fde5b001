"""Cost: a module or an ONNX file and a shape in; exact counts out, and Flops by a named rule."""
