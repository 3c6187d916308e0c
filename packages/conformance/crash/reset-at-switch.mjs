// Resets right at the switch, in a process without any listeners:
// node reset-at-switch.mjs client|server guarded|bare
import { once } from "node:events";
import net from "node:net";
import { handshake as connectTo } from "@upgrade/client";
import { handshake as serve } from "@upgrade/server";

const REQUEST = "GET / HTTP/1.1\r\nHost: a.test\r\nConnection: Upgrade\r\nUpgrade: chat\r\n\r\n";
const ANSWER = "HTTP/1.1 101 x\r\nConnection: Upgrade\r\nUpgrade: chat\r\n\r\n";
const headers = { Host: "a.test", Connection: "Upgrade", Upgrade: "chat" };

const [role, guard] = process.argv.slice(2);

/** Our end, and a bare socket as the peer. */
async function joined() {
  const server = net.createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const peer = net.connect({ port: server.address().port, host: "127.0.0.1", noDelay: true });
  const [io] = await once(server, "connection");
  server.close();
  // Its own error does not concern us.
  peer.on("error", () => {});
  return { io, peer };
}

/** The parts of our end, once the peer has received or sent the 101. */
async function switched(io, peer) {
  if (role === "client") {
    const { sender, connection } = await connectTo(io);
    void sender.sendRequest({ method: "GET", target: "/", headers });
    void connection.run();
    await once(peer, "data");
    peer.write(`${ANSWER}early`);
    return { parts: connection.withoutShutdown(), connection };
  }
  let parts;
  const { connection } = await serve(io, (request) => {
    parts = request.switchTo("chat");
  });
  void connection.run();
  peer.write(`${REQUEST}early`);
  await once(peer, "data");
  return { parts, connection };
}

// After the hand-over: the new owner of the io does not listen yet.
const { io, peer } = await joined();
const taken = await (await switched(io, peer)).parts;
if (guard === "bare") taken.io.removeAllListeners("error");
const over = new Promise((resolve) => io.once("close", resolve));
peer.resetAndDestroy();
io.resume();
await over;

// Around it: the reset arrives while the io changes hands, and the parts are not used.
for (let turns = 0; turns < 5; turns++) {
  const late = await joined();
  const closed = new Promise((resolve) => late.io.once("close", resolve));
  const { parts } = await switched(late.io, late.peer);
  late.peer.resetAndDestroy();
  for (let i = 0; i < turns; i++) await new Promise((resolve) => setImmediate(resolve));
  parts.then(
    ({ io: released }) => released.resume(),
    () => {},
  );
  await closed;
}
console.log("still here");
