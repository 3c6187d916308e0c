// Node: prints a line of JSON for each case.

import { memory, messagePorts, transformStreams } from "../adapters/in-memory.ts";
import { secure, streamOfDuplex, tcp, unixSocket, webOfDuplex } from "../adapters/node-net.ts";
import { thread } from "../adapters/threads.ts";
import { portsToWorker, streamsToWorker } from "../adapters/worker.ts";
import { runSuite } from "../suite/run.ts";

const [keys = ""] = process.argv.slice(2);
const sockets = [tcp, secure(keys), unixSocket, streamOfDuplex, webOfDuplex];
const inMemory = [memory, transformStreams, messagePorts];
const worker = thread("./thread.js");
const toWorker = [portsToWorker(worker), streamsToWorker(worker)];
await runSuite([...sockets, ...inMemory, ...toWorker], (result) => {
  console.log(JSON.stringify(result));
});
process.exit();
