// Runs a command in a pod and prints what it prints, as kubectl exec does, over a WebSocket whose
// messages begin with the number of a channel: node kube-exec.ts <namespace> <pod> <command> ...
import { once } from "node:events";
import { upgrade } from "@upgrade/client";
import { open } from "@upgrade/node";
import { adopt, websocket } from "@upgrade/websocket";
import { WebSocket } from "ws";

const { KUBE = "http://127.0.0.1:8081", KUBE_TOKEN } = process.env;
const [, , namespace = "default", pod = "pod", ...command] = process.argv;
const STDOUT = 1;
const STDERR = 2;
const STATUS = 3;

const query = new URLSearchParams([
  ["stdout", "true"],
  ["stderr", "true"],
]);
for (const word of command) query.append("command", word);
const result = await upgrade(await open(KUBE, { timeoutMs: 5_000 }), {
  target: `/api/v1/namespaces/${namespace}/pods/${pod}/exec?${query}`,
  headers: {
    Host: new URL(KUBE).host,
    ...(KUBE_TOKEN !== undefined && { Authorization: `Bearer ${KUBE_TOKEN}` }),
  },
  protocol: websocket({ subprotocols: ["v4.channel.k8s.io"], requireSubprotocol: true }),
});
if (!result.switched) {
  const { status, body } = result.response;
  const text = await body.text();
  await result.connection.close();
  throw new Error(`Kubernetes answered ${status}: ${text}`);
}

const socket = adopt(result.parts, result.agreement, { WebSocket });
const failed = new Promise<never>((_, reject) => socket.once("error", reject));
let status: { status?: string; message?: string } = { message: "the connection ended" };
socket.on("message", (data: Buffer) => {
  const channel = data[0];
  if (channel === STDOUT) process.stdout.write(data.subarray(1));
  if (channel === STDERR) process.stderr.write(data.subarray(1));
  if (channel === STATUS) status = JSON.parse(String(data.subarray(1)));
});
await Promise.race([once(socket, "close"), failed]);
if (status.status !== "Success") throw new Error(status.message);
