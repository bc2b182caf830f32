"""openvc-core under the benchmark's commands; runs in an environment of its own, where lernode is not installed.

The first line of standard input is what to work with, each further one ``OPERATION TIMES``; each is answered, when
done, with the seconds of CPU that it took.
"""

from __future__ import annotations

import json
import sys
import time
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ed25519
from openvc.keys import Ed25519SigningKey
from openvc.proof.data_integrity import DataIntegrityProofSuite


def main() -> None:
    given = json.loads(sys.stdin.readline())
    contexts, unsigned, method = given["contexts"], given["unsigned"], given["verificationMethod"]
    pair = ed25519.Ed25519PrivateKey.from_private_bytes(bytes.fromhex(given["seed"]))
    key = Ed25519SigningKey(pair, method)
    suite = DataIntegrityProofSuite()

    def issue() -> Any:
        return suite.add_proof(unsigned, signing_key=key, verification_method=method, extra_contexts=contexts)

    def verify() -> None:
        suite.verify(given["signed"], public_key_jwk=key.public_jwk(), extra_contexts=contexts)

    print(json.dumps(issue()), flush=True)
    for line in sys.stdin:
        operation, times = line.split()
        work = {"issue": issue, "verify": verify}[operation]
        began = time.process_time()
        for _ in range(int(times)):
            work()
        print(time.process_time() - began, flush=True)


main()
