from pathlib import Path


def show_scenario(file: Path, port: int, *, exit_after: bool) -> None:
    raise NotImplementedError
