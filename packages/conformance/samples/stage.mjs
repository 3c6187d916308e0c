// A process that runs samples. It imports the files it is sent, and reports what they print, how many
// sockets they have open, and every unhandled error.
import diagnostics from "node:diagnostics_channel";
import net from "node:net";

const report = (message) => process.send?.(message);
// Exits with the test process, even if that is killed.
process.on("disconnect", () => process.exit());

process.on("uncaughtException", (error) => report({ unhandled: String(error?.stack ?? error) }));
process.on("unhandledRejection", (error) => report({ unhandled: String(error?.stack ?? error) }));

// The samples connect to this machine, whatever proxy it uses.
for (const name of ["http_proxy", "https_proxy"]) {
  delete process.env[name];
  delete process.env[name.toUpperCase()];
}

let open = 0;
function count({ socket }) {
  open++;
  report({ open });
  socket.once("close", () => {
    open--;
    report({ open });
  });
}
diagnostics.channel("net.client.socket").subscribe(count);
let accepted = 0;
diagnostics.channel("net.server.socket").subscribe((message) => {
  report({ accepted: ++accepted });
  count(message);
});

const subscriptions = [];
const { subscribe } = diagnostics;
diagnostics.subscribe = (...subscription) => {
  subscriptions.push(subscription);
  subscribe(...subscription);
};

const servers = new Set();
const { listen } = net.Server.prototype;
net.Server.prototype.listen = function (...args) {
  servers.add(this);
  this.once("listening", () => report({ listening: true }));
  return listen.apply(this, args);
};

const print = (text) =>
  report({ printed: typeof text === "string" ? text : Buffer.from(text).toString() });
console.log = (...words) => print(`${words.join(" ")}\n`);
console.error = console.log;
process.stdout.write = (text) => {
  print(text);
  return true;
};

process.on("message", async ({ file, run }) => {
  for (const server of servers) server.close();
  servers.clear();
  for (const [name, listener] of subscriptions.splice(0)) diagnostics.unsubscribe(name, listener);
  try {
    await import(file);
    report({ settled: "", run });
  } catch (error) {
    report({ settled: String(error?.stack ?? error), run });
  }
});
report({ ready: true });
