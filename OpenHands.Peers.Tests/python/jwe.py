# Opens or makes a JWE with Debian's python3-jwcrypto; orders and answers as in npm/jwe.mjs.
import base64
import json
import sys

from jwcrypto import jwe, jwk


def encode(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def decode(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


order = json.load(sys.stdin)
key = jwk.JWK(kty="oct", k=order["key"])

if order["do"] == "open":
    token = jwe.JWE()
    token.deserialize(order["jwe"], key)
    answer = {"plaintext": encode(token.payload), "header": token.jose_header}
else:
    token = jwe.JWE(decode(order["plaintext"]), protected=json.dumps(order["header"]))
    token.add_recipient(key)
    answer = {"jwe": token.serialize(compact=True)}

print(json.dumps(answer))
