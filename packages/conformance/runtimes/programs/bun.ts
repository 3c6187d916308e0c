// Bun: prints a line of JSON for each case.

import { memory, messagePorts, transformStreams } from "../adapters/in-memory.ts";
import { secure, streamOfDuplex, tcp, unixSocket, webOfDuplex } from "../adapters/node-net.ts";
import { thread } from "../adapters/threads.ts";
import { portsToWorker } from "../adapters/worker.ts";
import { runSuite } from "../suite/run.ts";

const [keys = ""] = process.argv.slice(2);
const sockets = [tcp, secure(keys, "failure"), unixSocket, streamOfDuplex, webOfDuplex];
const inMemory = [memory, transformStreams, messagePorts];
// Its streams cannot be transferred.
const toWorker = [portsToWorker(thread("./thread.js"))];
await runSuite([...sockets, ...inMemory, ...toWorker], (result) => {
  console.log(JSON.stringify(result));
});
process.exit();
