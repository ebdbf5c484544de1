"""The original files of two public studies of ImageNet.

Each file names the formats that it reads in `READERS`: one, or one for each part of the
study.
"""
