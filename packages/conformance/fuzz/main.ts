// Runs `npm run fuzz`: node main.js FIXTURES [--seconds N] [--seed S] [--corpus DIR]
// The fuzzer runs in its own thread, so that an endless execution is found, too.
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import { readSeeds, type Seed } from "./corpus.ts";
import { type FuzzResult, fuzz } from "./fuzz.ts";
import { storyOf } from "./story.ts";

/** Sent to the thread. */
interface Orders {
  readonly fixtures: string;
  readonly seconds: number;
  readonly executions: number;
  readonly seed: number;
  readonly corpus: string | undefined;
  readonly turn: SharedArrayBuffer;
}

/** Progress of the thread, whose own console is not flushed while it is busy. */
interface Line {
  readonly line: string;
  /** A finding is being minimized. */
  readonly shrinks?: boolean;
}

// A longer one is reported only by its length.
const MAX_SHARED = 1 << 20;
// No execution takes that long, even on a busy machine.
const HANGS_MS = 10_000;
// The same for minimizing a finding, plus the ten seconds it may take.
const SHRINKS_MS = 25_000;

if (isMainThread) watch();
else work(workerData as Orders);

function watch(): void {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      seconds: { type: "string", default: "60" },
      executions: { type: "string", default: "Infinity" },
      seed: { type: "string", default: String(Date.now() % 1_000_000_000) },
      corpus: { type: "string" },
    },
  });
  const orders: Orders = {
    fixtures: positionals[0] ?? ".",
    seconds: Number(values.seconds),
    executions: Number(values.executions),
    seed: Number(values.seed),
    corpus: values.corpus,
    turn: new SharedArrayBuffer(MAX_SHARED + 8),
  };
  const started = performance.now();
  const thread = new Worker(fileURLToPath(import.meta.url), { workerData: orders });
  const turns = new Int32Array(orders.turn, 0, 2);
  let last = { turn: -1, at: started, allowed: HANGS_MS };
  const watchdog = setInterval(() => {
    const now = performance.now();
    if (turns[0] !== last.turn) last = { ...last, turn: turns[0]!, at: now };
    if (now - last.at < last.allowed) return;
    found(started, "hangs", hangStory(orders.turn));
    void thread.terminate();
  }, 500);
  thread.on("message", (message: FuzzResult | Line) => {
    if ("line" in message) {
      console.log(message.line);
      if (message.shrinks) last = { ...last, at: performance.now(), allowed: SHRINKS_MS };
    } else if (message.fault !== undefined) found(started, message.fault.kind, message.finding);
  });
  thread.on("error", (error) => {
    throw error;
  });
  thread.on("exit", () => clearInterval(watchdog));
}

function found(started: number, kind: string, finding: string): void {
  const took = (performance.now() - started) / 1_000;
  console.log(`\nfound after ${took.toFixed(1)} s: ${kind}\n${finding}`);
  process.exitCode = 1;
}

function hangStory(turn: SharedArrayBuffer): string {
  const length = new Int32Array(turn, 0, 2)[1]!;
  const text = Buffer.from(turn, 8, Math.min(length, MAX_SHARED)).toString("utf8");
  if (length > MAX_SHARED || text.startsWith("[")) return text;
  return storyOf(JSON.parse(text, unbounded) as Seed, "hangs");
}

function work({ fixtures, seconds, executions, seed, corpus, turn }: Orders): void {
  const started = performance.now();
  const elapsed = () => (performance.now() - started) / 1_000;
  const seeds = readSeeds(pathToFileURL(`${fixtures}/`));
  if (corpus !== undefined) seeds.push(...kept(corpus));
  const print = (line: string, shrinks = false) => parentPort!.postMessage({ line, shrinks });
  print(`seed ${seed}, ${seeds.length} inputs to begin with, ${seconds} s`);
  const turns = new Int32Array(turn, 0, 2);
  const shared = Buffer.from(turn, 8);
  let reported = 0;
  const result = fuzz({
    seed,
    seeds,
    shouldContinue: (done) => {
      if (done >= executions) return false;
      if (done % 64 > 0) return true;
      if (elapsed() - reported >= 10) {
        reported = elapsed();
        print(
          `${reported.toFixed(0)} s: ${done} executions, ${(done / reported).toFixed(0)} a second`,
        );
      }
      return elapsed() < seconds;
    },
    onTurn: (what) => {
      turns[1] = shared.write(what, "utf8") < what.length ? what.length : Buffer.byteLength(what);
      turns[0]!++;
    },
    onFault: ({ kind }) =>
      print(`${kind}, found after ${elapsed().toFixed(1)} s, is being minimized`, true),
    ...(corpus === undefined ? {} : { onNews: (news: Seed) => keep(corpus, news) }),
  });
  const took = elapsed();
  const { user, system } = process.cpuUsage();
  const perCore = result.executions / ((user + system) / 1e6);
  print(
    `${result.executions} executions in ${took.toFixed(1)} s, ${(result.executions / took).toFixed(0)} a second, ${perCore.toFixed(0)} a second of one core; ` +
      `${result.distinct} distinct inputs, ${result.conversations} of them conversations and ${result.lists} lists of extensions; ${result.traces} different outcomes`,
  );
  parentPort!.postMessage(result);
}

// A folder of inputs that produced new events, with the role that read them.
function kept(folder: string): Seed[] {
  mkdirSync(folder, { recursive: true });
  return readdirSync(folder)
    .filter((name) => name.endsWith(".json"))
    .sort()
    .map((name) => JSON.parse(readFileSync(join(folder, name), "utf8"), unbounded) as Seed);
}

// JSON cannot represent an infinite limit.
function unbounded(name: string, value: unknown): unknown {
  return name.startsWith("max") && value === null ? Infinity : value;
}

function keep(folder: string, news: Seed): void {
  const text = JSON.stringify(news);
  const name = createHash("sha256").update(text).digest("hex").slice(0, 16);
  writeFileSync(join(folder, `${name}.json`), text);
}
