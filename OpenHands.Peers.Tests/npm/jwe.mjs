// Opens or makes a JWE with npm's jose. Reads one JSON object on standard input:
//   { "do": "open", "key": base64url, "jwe": compact }              answers { "plaintext": base64url, "header": {…} }
//   { "do": "make", "key": base64url, "plaintext": base64url, "header": {…} }   answers { "jwe": compact }
import { readFileSync } from "node:fs";
import { base64url, CompactEncrypt, compactDecrypt } from "jose";

const order = JSON.parse(readFileSync(0, "utf8"));
const key = base64url.decode(order.key);

if (order.do === "open") {
  const { plaintext, protectedHeader } = await compactDecrypt(order.jwe, key);
  console.log(JSON.stringify({ plaintext: base64url.encode(plaintext), header: protectedHeader }));
} else {
  const jwe = await new CompactEncrypt(base64url.decode(order.plaintext)).setProtectedHeader(order.header).encrypt(key);
  console.log(JSON.stringify({ jwe }));
}
