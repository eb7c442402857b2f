"""Data sets: digits32 (made offline), CIFAR-10, SVHN and the user's own arrays."""

from acsgen.data.dataset import Dataset
from acsgen.data.load import dataset_names, load_dataset

__all__ = ["Dataset", "dataset_names", "load_dataset"]
