"""The device of a job."""

from hrta.runtime.gpus import has_driver


def choose_device(name: str) -> str:
    """The device named auto (a GPU if one is available), cpu or cuda: cpu or cuda.

    Raises:
        ValueError: cuda, and no GPU is available.
    """
    if name == "cpu":
        return name
    if has_driver():
        import torch

        if torch.cuda.is_available():
            return "cuda"
    if name == "cuda":
        raise ValueError("device cuda: there is no usable CUDA GPU here; use cpu or auto")
    return "cpu"


def name_of(device: str) -> str:
    """The name of the GPU, or cpu."""
    if device == "cpu":
        return device
    import torch

    return torch.cuda.get_device_name(device)
