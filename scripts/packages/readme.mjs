// The README's example as a program.
import { once } from "node:events";
import net from "node:net";
import { fencedBlocks, read } from "../docs/markdown.mjs";

/** What it prints. */
export const WELCOME = "welcome, and back again\n";

/** Its code, as the README has it. */
export const [{ code: README }] = fencedBlocks(read("README.md"), "ts");

/** A program on a port that is free: the one it names may be in use. */
export async function onFreePort(code) {
  const server = net.createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  await once(server.close(), "close");
  return code.replaceAll("8080", String(port));
}
