// Consumes points with npm's rate-limiter-flexible: port and number of decisions as arguments, the password on standard input.
// Writes the processor time that the decisions took, in microseconds.
import { readFileSync } from "node:fs";
import { Redis } from "ioredis";
import { RateLimiterRedis } from "rate-limiter-flexible";

const [port, decisions] = process.argv.slice(2).map(Number);
const client = new Redis({ host: "127.0.0.1", port, password: readFileSync(0, "utf8").trim() });
const limiter = new RateLimiterRedis({ storeClient: client, keyPrefix: "flexible", points: 1_000_000, duration: 60 });
await limiter.consume("warm");
const started = process.cpuUsage();
await Promise.all(
  Array.from({ length: 64 }, async (_, worker) => {
    for (let decision = 0; decision < decisions / 64; decision++) await limiter.consume(`${worker}`);
  }),
);
const { user, system } = process.cpuUsage(started);
process.stdout.write(`${user + system}`);
await client.quit();
