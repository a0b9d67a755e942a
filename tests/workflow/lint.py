"""`snakemake --lint` without its one complaint that this workflow means: `make lint`.

All rules run in the one environment that `make lock` pins, and --software-deployment-method is
refused; so no rule names an environment of its own.
"""

import subprocess
import sys

HEADING, COMPLAINT = "Lints for ", "    * "
MEANT = "Specify a conda environment or container for each rule.:"


def complaints(said: str) -> list[str]:
    """What the linter says beside that, a line for each."""
    found, about = [], ""
    for line in said.splitlines():
        if line.startswith(HEADING):
            about = line.removeprefix(HEADING)
        elif line.startswith(COMPLAINT) and line.removeprefix(COMPLAINT) != MEANT:
            found.append(f"{about} {line.removeprefix(COMPLAINT).rstrip(':')}")
    return found


def main() -> None:
    """Lint the workflow in the current folder."""
    done = subprocess.run(["snakemake", "--lint"], capture_output=True, text=True, check=False)
    said = done.stdout + done.stderr
    if done.returncode and COMPLAINT not in said:
        sys.exit(said)
    sys.exit("\n".join(complaints(said)) or None)


if __name__ == "__main__":
    main()
