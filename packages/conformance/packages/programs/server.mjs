// The entry of a bundle for Node: the story, and the same over a socket with @upgrade/node.
import { text } from "node:stream/consumers";
import { upgrade } from "@upgrade/client";
import { open, serve } from "@upgrade/node";
import { switching } from "@upgrade/server";
import { story } from "./story.mjs";

const echo = switching([["echo", ({ io }) => void io.pipe(io)]]);
const server = await serve(echo, { host: "127.0.0.1" });
const result = await upgrade(await open(server.url), {
  target: "/",
  protocol: "echo",
  headers: { Host: "a.test" },
});
result.io.end("over a socket");
const heard = await text(result.io);
await server.close();
if (heard !== "over a socket") throw new Error(`the echo was ${JSON.stringify(heard)}`);
console.log(await story());
