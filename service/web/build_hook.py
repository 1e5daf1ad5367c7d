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
        for folder in ("taxonomy", "lexicon", "calendar"):
            build_data["force_include"][str(root / "data" / folder)] = f"triage/data/{folder}"
        build_data["force_include"][str(root / "data/regions.csv")] = "triage/data/regions.csv"
        build_data["force_include"][str(root / "models")] = "triage/models"
