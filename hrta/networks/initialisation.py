"""What networks are initialised with: sizes, seeds, dtype and device, checked."""

from collections.abc import Mapping, Set
from typing import Any

from hrta.runtime.arguments import as_integer, shown
from hrta.runtime.memory import need_memory
from hrta.runtime.tensors import check_device, check_dtype

# Memory of a tensor besides its values.
BYTES_OF_TENSOR = 500


def check_initialisation(
    seeds: Any, weights: int, dtype: Any, device: Any, where: str = "networks"
) -> list[int]:
    """The seeds as a list of integers, after a check of all.

    Args:
        seeds: a sequence of seeds.
        weights: number of weights of one network.
        dtype, device: of the weights.
        where: the beginning of the messages.

    Raises:
        ValueError: no seeds, a seed that is not a non-negative integer, a dtype that is not
            floating, or a device that cannot be used.
        MemoryError: the weights do not fit into memory.
    """
    count = _count(seeds)
    if not count:
        raise ValueError(f"{where}: seeds must be several integers; it is {shown(seeds)}")
    check_dtype(dtype, where)
    check_device(device, where)
    # They are drawn in float64 one by one, and then copied into one tensor.
    need_memory(
        count * (16 * weights + BYTES_OF_TENSOR), f"{where}: {count} with {weights} weights each"
    )
    return [as_integer(seed, f"{where}: each of the seeds", least=0) for seed in seeds]


def _count(seeds: Any) -> int:
    """The number of seeds; 0 for what is no sequence."""
    if isinstance(seeds, str | bytes | Mapping | Set) or not hasattr(seeds, "__getitem__"):
        return 0
    try:
        return len(seeds)
    except (TypeError, OverflowError):
        return 0
