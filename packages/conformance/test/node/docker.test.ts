import { mkdtempSync, rmSync } from "node:fs";
import type net from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Duplex } from "node:stream";
import { upgrade } from "@upgrade/client";
import { open, type Server, serve } from "@upgrade/node";
import { type Service, switching } from "@upgrade/server";
import Docker from "dockerode";
import { describe, expect, test } from "vitest";
import { closeAfterEach } from "../../src/pairs/listening.ts";
import { closeLater } from "../../src/pairs/loopback.ts";

closeAfterEach();

/** A daemon that, like Docker's, switches an exec to a raw stream, the terminal's: here an echo. */
async function daemon(speak: (io: net.Socket) => void) {
  const folder = mkdtempSync(join(tmpdir(), "upgrade-"));
  closeLater(() => rmSync(folder, { recursive: true }));
  const json = { "Content-Type": "application/json" };
  const otherwise: Service<net.Socket> = async ({ target, body }) => {
    await body.text();
    if (target.endsWith("/exec")) return { status: 201, headers: json, body: '{"Id":"e1"}' };
    return { status: 404, headers: json, body: '{"message":"no such page"}' };
  };
  const service = switching<net.Socket, ["tcp"]>(
    [
      [
        "tcp",
        ({ io, readBuf }) => {
          io.on("error", () => {}).write(readBuf);
          speak(io);
        },
      ],
    ],
    otherwise,
  );
  const server: Server = await serve(service, { path: join(folder, "docker.sock") });
  closeLater(() => server.close({ timeoutMs: 1, upgraded: "abort" }));
  return { server, docker: new Docker({ socketPath: join(folder, "docker.sock") }) };
}

const echo = (io: net.Socket): void => void io.pipe(io);

async function exec(docker: Docker): Promise<Duplex> {
  const command = { Cmd: ["cat"], AttachStdin: true, AttachStdout: true, Tty: true };
  const created = await docker.getContainer("c1").exec(command);
  return created.start({ hijack: true, stdin: true, Tty: true });
}

describe("dockerode and a daemon that our server plays", () => {
  test("an exec is hijacked: its input is echoed, and ends", async () => {
    const { docker, server } = await daemon(echo);
    const stream = await exec(docker);
    stream.end("hello");
    let text = "";
    for await (const chunk of stream) text += chunk;
    expect(text).toBe("hello");
    await server.close({ timeoutMs: 0 });
  });

  test("a request for something else is answered", async () => {
    const { docker } = await daemon(echo);
    await expect(docker.getContainer("c1").inspect()).rejects.toMatchObject({ statusCode: 404 });
  });

  test("a daemon that dies ends the stream", async () => {
    const { docker, server } = await daemon((io) => void io.resume());
    const stream = await exec(docker);
    const ended = new Promise<void>((resolve) => {
      stream.on("error", () => {}).on("close", () => resolve());
      stream.resume();
    });
    await server.close({ upgraded: "abort" });
    await ended;
  });

  test("a client that dies leaves no socket in the daemon", async () => {
    const { docker, server } = await daemon(echo);
    const stream = await exec(docker);
    stream.on("error", () => {}).destroy();
    await server.close({ timeoutMs: 0 });
    expect(server.connections).toBe(0);
  });
});

test("our own client execs through open()", async () => {
  const { server } = await daemon(echo);
  const result = await upgrade(await open(server.url), {
    method: "POST",
    target: "/exec/e1/start",
    headers: { "Host": "docker", "Content-Type": "application/json" },
    body: '{"Tty":true}',
    protocol: "tcp",
  });
  if (!result.switched) throw new Error(`refused: ${result.response.status}`);
  result.io.end("hello");
  let text = Buffer.from(result.readBuf).toString();
  for await (const chunk of result.io) text += chunk;
  expect(text).toBe("hello");
});
