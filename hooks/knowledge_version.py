"""The knowledge that answers are written from, and the version that every answer names."""

import hashlib
from collections.abc import Mapping
from pathlib import Path

from cds import knowledge
from cds.knowledge import Knowledge, KnowledgeError
from cds.review import RULES

VERSION = "0.1.0"
"""That of pyproject.toml and of the newest entry of CHANGELOG.md."""
FOLDER = knowledge.RULES_FOLDER.parent


def all_knowledge() -> Mapping[str, Knowledge]:
    """The knowledge of every rule, by id. Raises ``KnowledgeError`` where a rule of the review has none."""
    groups = dict.fromkeys(rule.group for rule in RULES)
    found = {name: known for group in groups for name, known in knowledge.load_group(group).items()}
    for rule in RULES:
        if rule.id not in found:
            raise KnowledgeError(f"{rule.group}.toml", rule.id, "add this rule's knowledge, or take it out of RULES")
    return found


def knowledge_version(folder: Path = FOLDER) -> str:
    """The version of the program, and eight digits that change with any word, number or code of the knowledge."""
    digest = hashlib.sha256()
    for path in sorted([*folder.glob("rules/*.toml"), *folder.glob("tables/*.csv")], key=lambda path: path.name):
        text = path.read_text(encoding="utf-8")
        digest.update(f"{path.name}\n{text}\n".encode())
    return f"{VERSION}+{digest.hexdigest()[:8]}"
