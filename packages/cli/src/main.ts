#!/usr/bin/env node
// argv → [main] → exit code

import { run } from "./command/run.ts";

// The reader of our output has exited, as `head` does.
process.stdout.on("error", () => process.exit(1));

const stop = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => stop.abort());

process.exitCode = await run(process.argv.slice(2), process, { signal: stop.signal });
