"""Data sets: digits32 (made offline), CIFAR-10, SVHN and the user's own arrays."""

from acsgen.data.dataset import Dataset, Images
from acsgen.data.load import dataset_names, load_dataset, load_images

__all__ = ["Dataset", "Images", "dataset_names", "load_dataset", "load_images"]
