"""The reference implementation as a service: a line of JSON in, the time of every verification out, in nanoseconds."""

import json
import pathlib
import sys
import time

from model_signing import hashing
from model_signing import verifying

for line in sys.stdin:
    job = json.loads(line)
    directory = pathlib.Path(job["directory"])
    signature = directory / "skill.oms.sig"
    # One configuration for all, as its documentation advises: certificates are read once.
    config = verifying.Config().use_certificate_verifier(
        certificate_chain=[pathlib.Path(job["root"])]
    )
    config.set_hashing_config(hashing.Config().set_ignored_paths(paths=[signature]))
    times = []
    for _ in range(job["iterations"]):
        started = time.perf_counter_ns()
        config.verify(directory, signature)
        times.append(time.perf_counter_ns() - started)
    print(json.dumps(times), flush=True)
