"""How people label the items of a class: the model `class_confusion`."""
