"""int8 as standard ONNX: QuantizeLinear and DequantizeLinear where runtimes fuse them."""
