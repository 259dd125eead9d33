// Does tasks with a queue of npm's. Argument: which. Standard input: a line with JSON that says where the servers are, then one command a line:
//   add N       enqueues N tasks, 16 at a time; answers "done" with the microseconds that passed
//   drain N     handles N tasks, 16 at a time; answers "done" with the microseconds from the first start until the last is acknowledged
//   pace N R    enqueues R tasks a second, N in all, while they are handled; answers with the milliseconds from enqueued to started, as JSON
// The end of the input ends it.
import { createInterface } from "node:readline";

const CONCURRENCY = 16;
const QUEUE = "benchmark";

const silent = { debug() {}, info() {}, warn: console.error, error: console.error };

// Fetches, and completes each task by itself.
async function pgBoss({ postgres }, fetched) {
  const { PgBoss } = await import("pg-boss");
  const boss = new PgBoss({ connectionString: postgres, max: 20 });
  boss.on("error", console.error);
  await boss.start();
  await boss.createQueue(QUEUE);
  return {
    add: (data) => boss.send(QUEUE, data),
    async work(handle, acknowledged) {
      let stopped = false;
      const loop = async () => {
        while (!stopped) {
          const jobs = await boss.fetch(QUEUE, { batchSize: fetched });
          await Promise.all(
            jobs.map(async (job) => {
              handle(job.data);
              await boss.complete(QUEUE, job.id);
              acknowledged();
            }),
          );
        }
      };
      const loops = Array.from({ length: CONCURRENCY / fetched }, loop);
      return async () => {
        stopped = true;
        await Promise.all(loops);
      };
    },
    stop: () => boss.stop({ graceful: false, close: true }),
  };
}

async function graphileWorker({ postgres }, options) {
  const { run, makeWorkerUtils, Logger } = await import("graphile-worker");
  const { default: pg } = await import("pg");
  const logger = new Logger(() => (level, message) => silent[level === "warning" ? "warn" : level]?.(message));
  const pgPool = new pg.Pool({ connectionString: postgres, max: 20 });
  pgPool.on("error", console.error).on("connect", (client) => client.on("error", console.error));
  const utils = await makeWorkerUtils({ pgPool, logger });
  await utils.migrate();
  return {
    add: (data) => utils.addJob(QUEUE, data),
    async work(handle, acknowledged) {
      const runner = await run({
        preset: { worker: options }, connectionString: postgres, maxPoolSize: 20, concurrency: CONCURRENCY, logger,
        noHandleSignals: true, taskList: { [QUEUE]: async (data) => handle(data) },
      });
      runner.events.on("job:complete", acknowledged);
      return () => runner.stop();
    },
    async stop() {
      await utils.release();
      await pgPool.end();
    },
  };
}

async function bullMq({ redisPort, redisPassword }) {
  const { Queue, Worker } = await import("bullmq");
  const connection = { host: "127.0.0.1", port: redisPort, password: redisPassword, maxRetriesPerRequest: null };
  const queue = new Queue(QUEUE, { connection });
  await queue.waitUntilReady();
  return {
    add: (data) => queue.add(QUEUE, data),
    async work(handle, acknowledged) {
      const worker = new Worker(QUEUE, async (job) => handle(job.data), { connection, concurrency: CONCURRENCY });
      worker.on("completed", acknowledged);
      worker.on("error", console.error);
      await worker.waitUntilReady();
      return () => worker.close();
    },
    stop: () => queue.close(),
  };
}

const peers = {
  "pg-boss": (settings) => pgBoss(settings, 1),
  "pg-boss-batch": (settings) => pgBoss(settings, CONCURRENCY),
  "graphile-worker": (settings) => graphileWorker(settings, {}),
  "graphile-worker-batch": (settings) => graphileWorker(settings, { localQueue: { size: 500 }, completeJobBatchDelay: 0 }),
  bullmq: bullMq,
};

const now = () => Number(process.hrtime.bigint()) / 1000;

async function add(peer, count) {
  const started = now();
  await Promise.all(
    Array.from({ length: CONCURRENCY }, async (_, producer) => {
      for (let task = producer; task < count; task += CONCURRENCY) await peer.add({ task });
    }),
  );
  return `done ${now() - started}`;
}

async function drain(peer, count) {
  let [first, left] = [0, count];
  const { promise, resolve } = Promise.withResolvers();
  const stop = await peer.work(
    () => (first ||= now()),
    () => --left === 0 && resolve(now()),
  );
  const elapsed = (await promise) - first;
  setImmediate(stop);
  return `done ${elapsed}`;
}

async function pace(peer, count, perSecond) {
  const [added, started] = [Array(count), Array(count)];
  let left = count;
  const { promise, resolve } = Promise.withResolvers();
  const stop = await peer.work(
    ({ task }) => {
      started[task] = now();
      if (--left === 0) resolve();
    },
    () => {},
  );
  const begun = now();
  const adding = [];
  for (let task = 0; task < count; ) {
    for (; task < count && now() >= begun + (task * 1_000_000) / perSecond; task++) {
      const number = task;
      adding.push(peer.add({ task: number }).then(() => (added[number] = now())));
    }
    await new Promise((next) => setTimeout(next, 1));
  }
  await Promise.all(adding);
  await promise;
  await stop();
  return JSON.stringify(started.map((at, task) => (at - added[task]) / 1000));
}

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const settings = JSON.parse((await lines.next()).value);
const peer = await peers[process.argv[2]](settings);
process.stdout.write("ready\n");
for await (const line of lines) {
  const [command, ...numbers] = line.split(" ");
  process.stdout.write(`${await { add, drain, pace }[command](peer, ...numbers.map(Number))}\n`);
}
process.exit(0);
