"""Reduced precision: an fp32 ONNX file and calibration images in, an fp16 or int8 file out."""
