"""Prints the manifest of the skill in the folder that is named, as the guide's signer writes it."""

import hashlib
import json
import pathlib
import sys

root = pathlib.Path(sys.argv[1])
files = {
    path.relative_to(root).as_posix(): "sha256:" + hashlib.sha256(path.read_bytes()).hexdigest()
    for path in root.rglob("*")
    if path.is_file() and path.name != "skill.sig"
}
manifest = {"skill_root": root.name, "files": files}
sys.stdout.buffer.write(json.dumps(manifest, sort_keys=True, separators=(",", ":")).encode())
