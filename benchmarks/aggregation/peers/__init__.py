"""Other packages' methods, one file each, imported only where one is run.

A file names its package (`PACKAGE`, and `MODULE`, the name it is imported by), its
methods (`METHODS`: name, and whether it states probabilities), and gives
`load(name)`: a function from responses and a seed to a `Prediction`. Loading imports
the package, so that a clock around the function does not count that.
"""
