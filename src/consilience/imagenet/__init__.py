"""Two studies of ImageNet's labels, as they were published."""
