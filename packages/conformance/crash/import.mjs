// Imports everything, and tells what happened meanwhile; then leaves connections waiting, and ends.
const happened = [];

/** Puts a listener in front of a global function, or a constructor, of the platform. */
function watch(owner, name) {
  const original = owner[name];
  const tell = (target, args, ...rest) => {
    happened.push(name);
    return Reflect[rest.length === 0 ? "construct" : "apply"](target, ...rest, args);
  };
  owner[name] = new Proxy(original, {
    apply: (target, self, args) => tell(target, args, self),
    construct: (target, args) => tell(target, args),
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

const left = process.getActiveResourcesInfo().filter((name) => !before.includes(name));
console.log(`at import: ${JSON.stringify([...happened, ...left])}`);

// That there is something to be seen.
new HttpConnection("server").receiveData(Buffer.from("GET / HTTP/1.1\r\n"));
const [near, far] = memoryPair();
await server.handshake(near, () => ({ status: 200 }));
const { sender } = await client.handshake(far, { continueMs: 60_000, idleMs: 60_000 });
await sender.sendRequest({ method: "GET", target: "/", headers: { Host: "a.test" } });
console.log(`in use: ${JSON.stringify([...new Set(happened)].sort())}`);
