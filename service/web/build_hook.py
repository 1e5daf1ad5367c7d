"""Hatchling hook: a wheel carries data/, models/ and the built page, so that an installed service needs neither Node nor a checkout."""

from pathlib import Path

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class WheelContents(BuildHookInterface):
    def initialize(self, version: str, build_data: dict) -> None:
        if version == "editable":
            return
        root = Path(self.root)
        if not (root / "service/web/dist/index.html").is_file():
            raise SystemExit("service/web/dist is missing: run `make web` before building a wheel")
        build_data["force_include"][str(root / "data")] = "triage/data"
        build_data["force_include"][str(root / "models")] = "triage/models"
