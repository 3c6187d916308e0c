// Runs a command in a container and prints what it prints: node docker-exec.ts <exec id>
// The Docker daemon switches to raw TCP; without a terminal, its output comes in frames.
import { rewind, upgrade } from "@upgrade/client";
import { open } from "@upgrade/node";

const { DOCKER = "http://127.0.0.1:8081" } = process.env;
const [, , id = "id"] = process.argv;

const result = await upgrade(await open(DOCKER, { timeoutMs: 5_000 }), {
  method: "POST",
  target: `/v1.43/exec/${id}/start`,
  headers: { "Host": "docker", "Content-Type": "application/json" },
  body: JSON.stringify({ Detach: false, Tty: false }),
  protocol: "tcp",
});
if (!result.switched) {
  const { status, body } = result.response;
  const text = await body.text();
  await result.connection.close();
  throw new Error(`Docker answered ${status}: ${text}`);
}

const stream = rewind(result.parts);
stream.end();
let pending = Buffer.alloc(0);
for await (const chunk of stream) {
  pending = Buffer.concat([pending, chunk]);
  // A frame: 1 or 2 for stdout or stderr, three zeros, the length, the bytes.
  while (pending.length >= 8 && pending.length >= 8 + pending.readUInt32BE(4)) {
    const end = 8 + pending.readUInt32BE(4);
    const to = pending[0] === 2 ? process.stderr : process.stdout;
    to.write(pending.subarray(8, end));
    pending = pending.subarray(end);
  }
}
if (pending.length > 0) throw new Error("Docker ended in the middle of a frame");
