"""A small training by the triton engine, for compute-sanitizer: several tiles, all branches."""

import numpy as np

from hrta import Problem, Schedule, TwoLayer, train

POINTS, WIDTH = 70, 150


def main() -> None:
    """Train with all points, in minibatches, with a switch, and until a run diverges."""
    random = np.random.default_rng(0)
    x, y = random.normal(size=(POINTS, 3)), random.normal(size=POINTS)
    problem = Problem("random", x, y, x[:9], y[:9])
    networks = TwoLayer.initialise(range(4), 3, WIDTH, device="cuda")
    schedule = Schedule.constant_length([1.0, 1.5], 6)
    for optimizer in ("gradient_descent", "heavy_ball", "nesterov", "adam"):
        for batch_size in (None, 33):
            trained = train(
                problem,
                networks,
                schedule,
                optimizer,
                [1e-3, 1e-2, 1e-1, 1e30],
                log_every=5,
                batch_size=batch_size,
                preserve_function=True,
                engine="triton",
            )
            print(optimizer, batch_size, trained.history["loss"].iloc[-1], trained.diverged)


if __name__ == "__main__":
    main()
