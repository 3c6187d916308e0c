// Imports everything and prints the side effects; then leaves connections waiting, and exits.

// Not under test: on Node 26 it opens a pipe when it is imported.
import "node:http";

const happened = [];

/** Wraps a global function or constructor of the platform to record its calls. */
function watch(owner, name) {
  const original = owner[name];
  const record = (target, args, ...rest) => {
    happened.push(name);
    return Reflect[rest.length === 0 ? "construct" : "apply"](target, ...rest, args);
  };
  owner[name] = new Proxy(original, {
    apply: (target, self, args) => record(target, args, self),
    construct: (target, args) => record(target, args),
  });
}

for (const name of ["setTimeout", "setInterval", "setImmediate", "queueMicrotask", "fetch"]) {
  watch(globalThis, name);
}
for (const name of ["Module", "Instance", "Memory", "compile", "instantiate"]) {
  watch(WebAssembly, name);
}
watch(Date, "now");
const before = process.getActiveResourcesInfo();

const { HttpConnection } = await import("@upgrade/core");
const { memoryPair } = await import("@upgrade/core/io");
await import("@upgrade/core/testing");
const client = await import("@upgrade/client");
const server = await import("@upgrade/server");
await import("@upgrade/node");

const left = process.getActiveResourcesInfo().filter((name) => !before.includes(name));
console.log(`at import: ${JSON.stringify([...happened, ...left])}`);

// Shows that the check detects side effects.
new HttpConnection("server").receiveData(Buffer.from("GET / HTTP/1.1\r\n"));
const [near, far] = memoryPair();
await server.handshake(near, () => ({ status: 200 }));
const { sender } = await client.handshake(far, { continueMs: 60_000, idleMs: 60_000 });
await sender.sendRequest({ method: "GET", target: "/", headers: { Host: "a.test" } });
console.log(`in use: ${JSON.stringify([...new Set(happened)].sort())}`);
