import pytest

from triage.errors import ConfigError
from triage.resources import read_text, read_yaml


def test_a_missing_or_broken_file_of_ours_is_said_in_one_line(tmp_path):
    path = tmp_path / "lexicon.yaml"
    with pytest.raises(ConfigError, match=r"lexicon\.yaml is missing"):
        read_text(path)
    path.write_bytes("转账".encode("gb18030"))
    with pytest.raises(ConfigError, match=r"lexicon\.yaml is not UTF-8"):
        read_yaml(path)
    path.write_text("a: [", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"lexicon\.yaml is not YAML"):
        read_yaml(path)
