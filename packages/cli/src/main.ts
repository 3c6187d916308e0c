#!/usr/bin/env node
// argv → [main] → exit code

import { run } from "./command/run.ts";

// The reader of our output has exited, as `head` does.
process.stdout.on("error", () => process.exit(1));

process.exitCode = await run(process.argv.slice(2), process);
