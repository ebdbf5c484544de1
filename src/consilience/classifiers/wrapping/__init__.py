"""Any float ONNX network as the folder of a classifier."""
