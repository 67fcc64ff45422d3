"""Put the default model's prepared form where the package ships it from.

    python -m benchmarks.ship_model

To be run again when what `index.models.cache` makes fingerprints of changes, or the bundled model
itself; a test says when. The optimised graph is left out: each version of ONNX Runtime has its own.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from pathlib import Path

from index.models.cache import SETTINGS
from index.models.loading import SHIPPED, resolve
from index.models.onnx_encoder import PORTABLE, TOKENIZER
from index.models.prepare import prepare_model


def main() -> None:
    """Run the command."""
    source = resolve()
    with tempfile.TemporaryDirectory() as root:
        made = prepare_model(source.reference, Path(root), folder=source.folder)
        shutil.rmtree(SHIPPED, ignore_errors=True)
        target = SHIPPED / made.folder.name
        target.mkdir(parents=True)
        settings = json.loads((made.folder / SETTINGS).read_text("utf-8"))
        settings["files"] = {name: settings["files"][name] for name in (PORTABLE, TOKENIZER)}
        for name in settings["files"]:
            shutil.copyfile(made.folder / name, target / name)
        (target / SETTINGS).write_text(json.dumps(settings, indent=1) + "\n", "utf-8")
    print(f"{target}: {sum(path.stat().st_size for path in target.iterdir()):,} bytes")


if __name__ == "__main__":
    main()
