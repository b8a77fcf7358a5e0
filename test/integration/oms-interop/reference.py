"""
The command line of model_signing for many runs, loaded once: arguments come in as one line of JSON a run, and what was
said goes out as one.
"""

import json
import os
import runpy
import sys
import tempfile

# Takes longer than all that a run does with it.
import model_signing._cli  # noqa: F401

for line in sys.stdin:
    with tempfile.TemporaryFile() as output:
        # A process of its own for each run: none may find anything that another one has left behind.
        child = os.fork()
        if child == 0:
            os.dup2(output.fileno(), 1)
            os.dup2(output.fileno(), 2)
            sys.argv[1:] = json.loads(line)
            runpy.run_module("model_signing", run_name="__main__", alter_sys=True)
            sys.exit()
        _, status = os.waitpid(child, 0)
        output.seek(0)
        said = output.read().decode("utf-8", "replace")
        print(json.dumps({"ok": status == 0, "output": said}), flush=True)
