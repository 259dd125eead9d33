// Locks with npm's redlock. Reads an order as JSON, writes the answer as JSON:
//   {"do":"try"}    takes the lock once and gives it back: {"taken":true or false}
//   {"do":"hold"}   takes the lock and ends without giving it back: {"owner":"…"}
//   {"do":"count"}  takes the lock `rounds` times, each time reading a number and writing one more: {}
// The order names the lock ("key") and the number ("number"), and how to reach Redis ("port", "password").
import { readFileSync } from "node:fs";
import { Redis } from "ioredis";
import Redlock from "redlock";

const order = JSON.parse(readFileSync(0, "utf8"));
const client = new Redis({ host: "127.0.0.1", port: order.port, password: order.password });
const once = new Redlock([client], { retryCount: 0 });
const patient = new Redlock([client], { retryCount: -1, retryDelay: 5, retryJitter: 5 });
const orders = {
  async try() {
    try {
      await (await once.lock(order.key, 10_000)).unlock();
      return { taken: true };
    } catch (refused) {
      if (!(refused instanceof Redlock.LockError)) throw refused;
      return { taken: false };
    }
  },
  async hold() {
    return { owner: (await once.lock(order.key, 60_000)).value };
  },
  async count() {
    for (let round = 0; round < order.rounds; round++) {
      const lock = await patient.lock(order.key, 60_000);
      const number = Number(await client.get(order.number));
      await client.set(order.number, number + 1);
      await lock.unlock();
    }
    return {};
  },
};
process.stdout.write(JSON.stringify(await orders[order.do]()));
await client.quit();
