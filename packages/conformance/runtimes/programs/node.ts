// Node: prints a line of JSON for each case.

import { memory, messagePorts, transformStreams } from "../adapters/in-memory.ts";
import { secure, streamOfDuplex, tcp, unixSocket, webOfDuplex } from "../adapters/node-net.ts";
import { runSuite } from "../suite/run.ts";

const [keys = ""] = process.argv.slice(2);
const sockets = [tcp, secure(keys), unixSocket, streamOfDuplex, webOfDuplex];
await runSuite([...sockets, memory, transformStreams, messagePorts], (result) => {
  console.log(JSON.stringify(result));
});
process.exit();
