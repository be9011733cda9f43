"""Writes the answer of README.md's request anew (`make readme`)."""

import json
import re
from pathlib import Path

from tests.calling import an_app, call

README = Path(__file__).parent.parent / "README.md"


def main() -> None:
    text = README.read_text(encoding="utf-8")
    request, shown = re.findall(r"^```json\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    headers = {"Content-Type": "application/json"}
    answer = call(an_app(), "POST", "/cds-services/firstline-order-sign", content=request, headers=headers).json()
    text = text.replace(shown, json.dumps(answer, indent=1, ensure_ascii=False) + "\n")
    README.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
