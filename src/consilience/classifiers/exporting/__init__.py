"""Networks exported to ONNX."""
